// Shows the document that the page names; nothing else is loaded, from nowhere else.
window.SwaggerUIBundle({
  url: document.body.dataset.document,
  domNode: document.getElementById("reference"),
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
});
