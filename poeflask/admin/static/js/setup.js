// Takes the token out of the link, where servers do not see it, and out of the address bar.

const field = document.getElementById("token");

function take() {
  const token = location.hash.slice(1);
  if (field && token) {
    field.value = token;
    history.replaceState(null, "", location.pathname);
  }
  if (field?.value) {
    document.getElementById("token-field").hidden = true;
    document.getElementById("password").focus();
  }
}

take();
// A newer link, pasted where an older one is open, loads no page.
addEventListener("hashchange", take);
