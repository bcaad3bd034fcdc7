// Goes on to the relying party by itself. A form may not lead there (Content-Security-Policy, form-action), and
// without scripts the link does.
location.replace(document.getElementById("go-on").href);
