"""Keyboard shortcuts and copy buttons.

Streamlit gives buttons single letters as shortcuts; `/` and `?`, and access to the clipboard, need a few lines of
JavaScript. They contain nothing that was read from a file.
"""

from __future__ import annotations

import streamlit as st

from lo2core.ui.shell.boundary import dialog

NEXT, PREVIOUS, RUN = "J", "K", "Ctrl+Enter"
"""Shortcuts of buttons."""

_SHORTCUTS = {
    "J": "next incident",
    "K": "previous incident",
    "/": "search: the first search field of the page",
    "N, Shift+N": "next and previous hit in a list of lines",
    "?": "this list",
    "Ctrl+Enter": "the main button of the page: Load, Train, Predict",
    "Esc": "close a dialog, or leave a field, so that letters are shortcuts again",
}

_LISTEN = """
export default function () {
  const typing = (at) => at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  const press = (event) => {
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const inMain = '[data-testid=stMain] input[aria-label*="earch" i]';
    const found = event.key === "/" ? document.querySelector(inMain)
      : event.key === "?" ? document.querySelector(".st-key-shortcuts button") : null;
    if (!found) return;
    event.preventDefault();
    event.key === "/" ? found.focus() : found.click();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
"""

_COPY = """
const address = () => {
  const here = new URL(window.location.href);
  for (const [name, value] of [...here.searchParams]) if (!value) here.searchParams.delete(name);
  return here.href;
};
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.onclick = async () => {
    await navigator.clipboard.writeText(data.text ?? address());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = data.label; }, 1500);
  };
}
"""

_COPY_STYLE = """
button {
  font: inherit; font-size: 0.8rem; padding: 0.1rem 0.6rem; border-radius: var(--st-button-radius); cursor: pointer;
  color: var(--st-text-color); background: transparent; border: 1px solid var(--st-border-color);
}
button:hover, button:focus-visible { color: var(--st-primary-color); border-color: var(--st-primary-color) }
"""

_listen = st.components.v2.component("lo2core.keyboard", js=_LISTEN)
_copy = st.components.v2.component("lo2core.copy", html='<button type="button"></button>', js=_COPY, css=_COPY_STYLE)


def listen() -> None:
    """The button that lists the shortcuts, and the keys `/` and `?`; once on a page."""
    if st.button("Shortcuts", key="shortcuts", icon=":material/keyboard:", width="stretch", type="tertiary"):
        _list()
    _listen(key="keyboard", height="content")


@dialog("Keyboard shortcuts", icon=":material/keyboard:")
def _list() -> None:
    rows = "\n".join(f"| `{key}` | {what} |" for key, what in _SHORTCUTS.items())
    st.markdown(f"| Key | Action |\n| --- | --- |\n{rows}")


def copy_button(label: str, key: str, text: str | None = None) -> None:
    """A button that copies `text` to the clipboard; without it, the address of the page as it is."""
    _copy(key=key, data={"label": label, "text": text}, width="content", height="content")
