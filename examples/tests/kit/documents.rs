//! The documents of the repository: what they link to, the blocks in them, and the commands that they tell.
//!
//! It knows as much of Markdown as stands in these documents: fenced blocks, code between backticks, headings, links.

use std::path::{Path, PathBuf};

/// The clone.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A document, by its path in the repository.
pub struct Document {
    pub path: PathBuf,
    pub lines: Vec<Line>,
}

/// A line, and what it is in.
pub struct Line {
    pub number: usize,
    pub text: String,
    /// The language of the fenced block that it is in.
    pub block: Option<String>,
}

/// All of them.
pub fn all() -> Vec<Document> {
    let mut found = vec![];
    let mut folders = vec![repository().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(Document::read(path.strip_prefix(repository()).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Document {
    /// The one with this path in the repository.
    pub fn read(path: &Path) -> Document {
        let text = std::fs::read_to_string(repository().join(path)).unwrap();
        let mut block = None;
        let mut lines = vec![];
        for (text, number) in text.lines().zip(1..) {
            let fence = text.trim_start().strip_prefix("```");
            match (fence, &block) {
                (Some(_), Some(_)) => block = None,
                (Some(language), None) => block = Some(language.trim().to_owned()),
                (None, _) => lines.push(Line { number, text: text.to_owned(), block: block.clone() }),
            }
        }
        assert!(block.is_none(), "{}: a block has no end", path.display());
        Document { path: path.to_owned(), lines }
    }

    fn prose(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.block.is_none())
    }

    /// What can stand behind a `#`.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = vec![];
        for line in self.prose().filter(|line| line.text.starts_with('#')) {
            let heading = line.text.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            let anchor: String = heading.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect();
            let twins = anchors.iter().filter(|other| **other == anchor).count();
            anchors.push(if twins == 0 { anchor } else { format!("{anchor}-{twins}") });
        }
        anchors
    }

    /// What it links to, with the number of the line.
    pub fn links(&self) -> Vec<(usize, String)> {
        let mut links = vec![];
        for line in self.prose() {
            // What stands between backticks is no link, but the text of one may be.
            let (plain, _) = apart(&line.text);
            for behind in plain.split("](").skip(1) {
                links.push((line.number, behind.split(')').next().unwrap().to_owned()));
            }
            for behind in plain.split("<http").skip(1) {
                links.push((line.number, format!("http{}", behind.split('>').next().unwrap())));
            }
        }
        links
    }

    /// What stands between backticks outside of blocks.
    pub fn code(&self) -> Vec<(usize, String)> {
        let spans = |line: &Line| apart(&line.text).1.into_iter().map(|code| (line.number, code)).collect::<Vec<_>>();
        self.prose().flat_map(spans).collect()
    }

    /// Commands: lines of blocks of the shell, and those behind a `$` in others but `console`, which are run. A line that ends in a `\` goes on
    /// in the next.
    pub fn commands(&self) -> Vec<(usize, String)> {
        let mut commands: Vec<(usize, String)> = vec![];
        let mut goes_on = false;
        for line in &self.lines {
            let Some(block) = line.block.as_ref().filter(|block| *block != "console") else { continue };
            let command = match line.text.strip_prefix("$ ") {
                Some(command) => command,
                None if goes_on || block == "sh" => &line.text,
                None => continue,
            };
            let (command, more) = match command.strip_suffix('\\') {
                Some(command) => (command, true),
                None => (command, false),
            };
            match commands.last_mut() {
                Some((_, last)) if goes_on => *last += command,
                _ => commands.push((line.number, command.to_owned())),
            }
            goes_on = more;
        }
        commands.retain(|(_, command)| !command.trim().is_empty());
        commands
    }
}

/// A line without what stands between backticks, and that.
fn apart(line: &str) -> (String, Vec<String>) {
    let (mut plain, mut code) = (String::new(), vec![]);
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('`') {
        plain += before;
        let marks = 1 + behind.len() - behind.trim_start_matches('`').len();
        let behind = &behind[marks - 1..];
        match behind.split_once(&"`".repeat(marks)) {
            Some((inside, behind)) => {
                code.push(inside.to_owned());
                rest = behind;
            }
            // It goes on in the next line, as a long one may.
            None => return (plain, code),
        }
    }
    (plain + rest, code)
}
