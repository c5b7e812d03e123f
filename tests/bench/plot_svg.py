"""The few shapes that the picture is made of, as SVG; colours follow the reader's light or dark theme.

In: numbers, texts. Out: elements as text. Touches: nothing.
"""

from html import escape

STYLE = """
svg { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0;
  --peer: #afb8c1; --ours: #0b7a6b; font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; }
@media (prefers-color-scheme: dark) { svg { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1;
  --line: #30363d; --peer: #565e68; --ours: #35b8a4; } }
text { fill: var(--ink); }
.title { font-size: 17px; font-weight: 600; }
.soft { fill: var(--soft); font-size: 12.5px; }
.strong { font-weight: 650; }
.ours { fill: var(--ours); }
.peer { fill: var(--peer); }
.ground { fill: var(--ground); }
line { stroke: var(--line); }
line.floor { stroke: var(--ours); stroke-dasharray: 4 3; }
"""


def picture(width: int, height: int, label: str, elements: list[str]) -> str:
    """Return the whole document; `label` is what those hear who cannot see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(label)}">'
    )
    ground = f'<rect class="ground" width="{width}" height="{height}" rx="10"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", ground, *elements, "</svg>", ""])


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return words at a baseline; `kind` names classes, `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def block(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a bar or a column."""
    size = f'width="{max(width, 1.5):.1f}" height="{height:.1f}" rx="2"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{kind}"/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    """Return a straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
