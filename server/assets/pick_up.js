// Whoever scanned the code has it behind the address's #, where no server sees it: into the field, and out of
// the address, so that it stays in no history.
const code = decodeURIComponent(location.hash.slice(1));
if (code) {
  document.getElementById("code").value = code;
  history.replaceState(null, "", location.pathname);
  document.getElementById("pick").focus();
}
