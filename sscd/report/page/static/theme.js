// Light or dark: as the machine prefers, until the button says otherwise.

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

function remembered() {
  try {
    return localStorage.getItem("sscd-theme");
  } catch {
    return null; // pages from a disk may have no storage
  }
}

function remember(theme) {
  try {
    localStorage.setItem("sscd-theme", theme);
  } catch {
    // As above: the choice then lasts as long as the page.
  }
}

let picked = remembered();
let printing = false;

const isDark = () => !printing && (picked ? picked === "dark" : prefersDark.matches);

function showTheme() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  const button = byId("theme");
  button.textContent = isDark() ? "Light page" : "Dark page";
  button.hidden = false;
  tell("theme");
}

byId("theme").addEventListener("click", () => {
  picked = isDark() ? "light" : "dark";
  remember(picked);
  showTheme();
});
prefersDark.addEventListener("change", showTheme);
for (const event of ["beforeprint", "afterprint"]) {
  window.addEventListener(event, () => {
    printing = event === "beforeprint";
    showTheme();
  });
}
showTheme();
