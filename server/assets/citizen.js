// On every page: whoever sends a form that is refused is led to what has to be put right.
document.getElementById("error")?.focus();
