// While the page has no connection to its server, a box says what to do, in place of Streamlit's own window.
const PATIENCE_MS = 1500;

const STYLE = `
#lo2-gone {
  position: fixed; inset: auto 1rem 1rem 1rem; margin: auto; max-width: 46rem; z-index: 1000010; padding: 0.9rem 1.2rem;
  border-radius: 0.5rem; background: #7a2020; color: #ffffff; font-size: 0.95rem; line-height: 1.5;
  box-shadow: 0 4px 20px #0008;
}
#lo2-gone p { margin: 0 }
#lo2-gone code { display: block; margin: 0.3rem 0; font: 0.85rem/1.5 "Source Code Pro", monospace; color: #ffffff;
  background: #0004; padding: 0.3rem 0.6rem; border-radius: 0.3rem; user-select: all; overflow-wrap: anywhere; }
body:has(#lo2-gone) [data-testid=stDialog] { display: none }
`;

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function box() {
  const made = document.createElement("div");
  made.id = "lo2-gone";
  made.setAttribute("role", "alert");
  made.append(
    element("style", STYLE),
    element("p", "The dashboard does not answer. If it was stopped, start it again in the folder of the project:"),
    element("code", `python -m lo2core dashboard --port ${window.location.port || 80}`),
    element("p", "This page then continues by itself. Running jobs go on, and nothing that was saved is lost."),
  );
  return made;
}

export default function () {
  const app = document.querySelector("[data-testid=stApp]");
  let waiting = null;
  const show = () => document.getElementById("lo2-gone") || document.body.append(box());
  const look = () => {
    const connected = app.dataset.testConnectionState === "CONNECTED";
    if (connected) {
      clearTimeout(waiting);
      waiting = null;
      document.getElementById("lo2-gone")?.remove();
    } else {
      waiting ??= setTimeout(show, PATIENCE_MS);
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  look();
  return () => {
    observer.disconnect();
    clearTimeout(waiting);
    document.getElementById("lo2-gone")?.remove();
  };
}
