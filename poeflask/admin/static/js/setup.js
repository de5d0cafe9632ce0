// Takes the token out of the link, where servers do not see it, and out of the address bar.

const field = document.getElementById("token");
const token = location.hash.slice(1);
if (field && token) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
if (field?.value) {
  document.getElementById("token-field").hidden = true;
  document.getElementById("password").focus();
}
