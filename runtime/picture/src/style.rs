//! Colours and fonts. The picture has a panel of its own, which is light or dark, so that it is readable on any ground.

/// What the picture stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// By itself: dark where the viewer asks for it.
    Viewer,
    /// In a page of rustdoc: dark where its theme is.
    Rustdoc,
}

/// Fonts and the light colours.
const LIGHT: &str = "
.pelton-panel { fill: #fbfcfe; stroke: #d5dde8 }
.pelton-title { font: 600 21px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #16202c }
.pelton-note { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #51607a }
.pelton-box { fill: #ffffff; stroke: #9db2cc; stroke-width: 1.4 }
.pelton-source { fill: #eefaf6; stroke: #2a9d7f }
.pelton-stateful { fill: #fff8ea; stroke: #d1972a }
.pelton-badge { fill: #51607a; stroke: none }
.pelton-badge.pelton-source { fill: #1a7a5f }
.pelton-badge.pelton-stateful { fill: #96650c }
.pelton-number { font: 700 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #ffffff; text-anchor: middle }
.pelton-what, .pelton-name { font: 13px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #3a4759 }
.pelton-name { font-weight: 700; fill: #16202c }
.pelton-branch { fill: none; stroke: #9db2cc; stroke-width: 1.4 }
.pelton-state { fill: #d1972a }
.pelton-sink { fill: #3b6ea5 }
.pelton-arrival { font: 700 17px 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #c2412d }
.pelton-edge { fill: none; stroke: #5b7290; stroke-width: 2 }
.pelton-local { stroke-dasharray: 6 5 }
.pelton-head { fill: #5b7290 }
.pelton-label { fill: #eef2f8; stroke: #c9d4e3 }
.pelton-how, .pelton-rows { font: 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #3a4759; text-anchor: middle }
.pelton-how { font-weight: 600; fill: #16202c }
";

/// What is otherwise on a dark ground: selector and colours.
const DARK: &[(&str, &str)] = &[
    ("panel", "fill: #151b24; stroke: #2c3646"),
    ("title", "fill: #eef2f8"),
    ("name", "fill: #eef2f8"),
    ("how", "fill: #eef2f8"),
    ("note", "fill: #9aabc2"),
    ("box", "fill: #1e2734; stroke: #5d7391"),
    ("box.pelton-source", "fill: #14302a; stroke: #35b292"),
    ("box.pelton-stateful", "fill: #34290f; stroke: #d9a43f"),
    ("what", "fill: #c3cfdf"),
    ("rows", "fill: #c3cfdf"),
    ("branch", "stroke: #5d7391"),
    ("edge", "stroke: #8aa2c1"),
    ("head", "fill: #8aa2c1"),
    ("sink", "fill: #7fb0e6"),
    ("label", "fill: #222c3a; stroke: #3b495d"),
    ("arrival", "fill: #ff8a73"),
];

/// Where rustdoc's theme is dark. Its page says which it is, whatever the viewer asks of others.
const DARK_PAGE: &str = ":root:is([data-theme=dark], [data-theme=ayu])";

/// The style sheet. Every class begins with `pelton-`: in a page the rules hold for all of it.
pub(crate) fn rules(ground: Ground) -> String {
    let mut rules = LIGHT.to_owned();
    match ground {
        Ground::Viewer => {
            rules.push_str("@media (prefers-color-scheme: dark) {\n");
            rules.extend(DARK.iter().map(|(class, colours)| format!(".pelton-{class} {{ {colours} }}\n")));
            rules.push_str("}\n");
        }
        Ground::Rustdoc => {
            rules.extend(DARK.iter().map(|(class, colours)| format!("{DARK_PAGE} .pelton-{class} {{ {colours} }}\n")));
        }
    }
    rules
}
