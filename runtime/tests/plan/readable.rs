//! Whether a picture can be read, looked at as a viewer has it: boxes and labels stand apart and on the page, texts within what they belong to, and arrows go
//! around all that is not theirs.

/// Places and sizes in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    fn right(self) -> f64 {
        self.x + self.width
    }
    fn bottom(self) -> f64 {
        self.y + self.height
    }
    pub(crate) fn holds(self, other: Rect) -> bool {
        other.x >= self.x && other.y >= self.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }
    fn apart(self, other: Rect) -> bool {
        self.right() <= other.x || other.right() <= self.x || self.bottom() <= other.y || other.bottom() <= self.y
    }
    /// Without its edge.
    fn inner(self) -> Rect {
        Rect { x: self.x + 0.5, y: self.y + 0.5, width: self.width - 1.0, height: self.height - 1.0 }
    }
}

/// A text, with the kind of it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) class: String,
    pub(crate) shown: String,
    pub(crate) at: Rect,
}

/// What stands in a picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) size: (f64, f64),
    pub(crate) boxes: Vec<Rect>,
    pub(crate) labels: Vec<Rect>,
    pub(crate) texts: Vec<Text>,
    /// Points of each arrow's line, close to each other.
    pub(crate) lines: Vec<Vec<(f64, f64)>>,
    pub(crate) heads: Vec<Vec<(f64, f64)>>,
}

/// The value of an attribute.
fn attribute<'s>(tag: &'s str, name: &str) -> Option<&'s str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {tag}"))
}

/// Letters of a fixed width are 0.602 em wide in DejaVu Sans Mono, which is the widest that a viewer takes; of the others these are the widths in
/// DejaVu Sans, from its tables, and those that are not named are the average.
fn width(class: &str, text: &str) -> f64 {
    let (mono, size, bold) = match class {
        "name" => (true, 13.0, false),
        "what" => (true, 13.0, false),
        "how" => (false, 12.0, true),
        "rows" => (false, 12.0, false),
        "title" => (false, 21.0, true),
        _ => (false, 13.0, false),
    };
    let letter = |c: char| match c {
        _ if mono => 0.602,
        'i' | 'j' | 'l' => 0.278,
        ' ' | '.' | ',' => 0.32,
        'a' | 'e' => 0.615,
        'b' | 'd' | 'g' | 'h' | 'n' | 'o' | 'p' | 'q' | 'u' => 0.634,
        'm' => 0.974,
        'w' => 0.818,
        'f' | 'r' | 't' => 0.39,
        '0'..='9' => 0.636,
        'A'..='Z' => 0.68,
        _ => 0.55,
    };
    text.chars().map(letter).sum::<f64>() * size * if bold { 1.1 } else { 1.0 }
}

/// Points of a path of `M`, `L` and `C`.
fn points(path: &str) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (at, command) in path.match_indices(['M', 'L', 'C']) {
        let rest = &path[at + 1..];
        let rest = rest.split(['M', 'L', 'C', 'Z']).next().unwrap();
        let numbers: Vec<f64> =
            rest.split_whitespace().map(|n| n.parse().unwrap_or_else(|_| panic!("{path}"))).collect();
        match (command, &numbers[..]) {
            ("M", &[x, y]) => all.push((x, y)),
            ("L", &[x, y]) => {
                let (a, b) = *all.last().unwrap();
                all.extend((1..=60).map(|step| f64::from(step) / 60.0).map(|t| (a + (x - a) * t, b + (y - b) * t)));
            }
            ("C", &[ax, ay, bx, by, x, y]) => {
                let (fx, fy) = *all.last().unwrap();
                let at = |t: f64, f: f64, a: f64, b: f64, to: f64| {
                    let u = 1.0 - t;
                    u * u * u * f + 3.0 * u * u * t * a + 3.0 * u * t * t * b + t * t * t * to
                };
                let steps = (1..=60).map(|step| f64::from(step) / 60.0);
                all.extend(steps.map(|t| (at(t, fx, ax, bx, x), at(t, fy, ay, by, y))));
            }
            other => panic!("{other:?} in {path}"),
        }
    }
    all
}

/// Looks at a picture.
pub(crate) fn look(svg: &str) -> Seen {
    let mut seen = Seen { size: (number(svg, "width"), number(svg, "height")), ..Seen::default() };
    for line in svg.lines() {
        let Some(class) = attribute(line, "class") else { continue };
        let first = class.split(' ').next().unwrap();
        let rect = || Rect {
            x: number(line, "x"),
            y: number(line, "y"),
            width: number(line, "width"),
            height: number(line, "height"),
        };
        match (line.split(' ').next().unwrap(), first) {
            ("<rect", "pelton-box") => seen.boxes.push(rect()),
            ("<rect", "pelton-label") => seen.labels.push(rect()),
            ("<path", "pelton-edge") => seen.lines.push(points(attribute(line, "d").unwrap())),
            ("<path", "pelton-head") => seen.heads.push(points(attribute(line, "d").unwrap())),
            ("<text", _) => {
                let class = first.trim_start_matches("pelton-").to_owned();
                let inside = line.split_once('>').unwrap().1.rsplit_once("</text>").unwrap().0;
                // What a pointer shows stands in front.
                let shown = inside.split("</title>").last().unwrap();
                let shown =
                    shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
                let (wide, y) = (width(&class, &shown), number(line, "y"));
                let x = number(line, "x") - if ["how", "rows", "number"].contains(&&*class) { wide / 2.0 } else { 0.0 };
                seen.texts.push(Text { class, shown, at: Rect { x, y: y - 10.0, width: wide, height: 12.0 } });
            }
            _ => {}
        }
    }
    seen
}

impl Seen {
    /// Why it cannot be read.
    pub(crate) fn problem(&self) -> Option<String> {
        let page = Rect { x: 0.0, y: 0.0, width: self.size.0, height: self.size.1 };
        let all: Vec<Rect> = self.boxes.iter().chain(&self.labels).copied().collect();
        for (n, one) in all.iter().enumerate() {
            if !page.holds(*one) {
                return Some(format!("{one:?} is not on the page"));
            }
            if let Some(other) = all[n + 1..].iter().find(|other| !one.apart(**other)) {
                return Some(format!("{one:?} covers {other:?}"));
            }
        }
        for (n, text) in self.texts.iter().enumerate() {
            if !page.holds(text.at) {
                return Some(format!("{text:?} is not on the page"));
            }
            // A badge stands on a corner.
            if text.class == "number" {
                continue;
            }
            let inside = matches!(&*text.class, "name" | "what" | "how" | "rows" | "arrival");
            let well = match all.iter().find(|it| !it.apart(text.at)) {
                Some(it) => inside && it.holds(text.at),
                // What a mark means is told at the foot.
                None => !inside || text.class == "arrival",
            };
            if !well {
                return Some(format!("{text:?} does not stand in its box, or stands in one"));
            }
            if let Some(other) = self.texts[n + 1..].iter().find(|other| !text.at.apart(other.at)) {
                return Some(format!("{text:?} covers {other:?}"));
            }
        }
        for (line, head) in self.lines.iter().zip(&self.heads) {
            let outside = |&&(x, y): &&(f64, f64)| !page.holds(Rect { x, y, width: 0.0, height: 0.0 });
            if let Some(point) = line.iter().chain(head).find(outside) {
                return Some(format!("an arrow leaves the page at {point:?}"));
            }
            let within =
                |it: &Rect| line.iter().any(|&(x, y)| !it.inner().apart(Rect { x, y, width: 0.0, height: 0.0 }));
            if let Some(crossed) = self.boxes.iter().find(|it| within(it)) {
                return Some(format!("an arrow from {:?} goes through {crossed:?}", line.first()));
            }
            // Its own label stands on it, and no other.
            if self.labels.iter().filter(|it| within(it)).count() > 1 {
                return Some(format!("an arrow from {:?} goes through the label of another", line.first()));
            }
        }
        None
    }
}
