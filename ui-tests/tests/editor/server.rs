//! rust-analyzer as an editor runs it: messages of the Language Server Protocol over its standard input and output.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long an answer may take. The first ones wait until the crate and what it uses have been compiled.
const PATIENCE: Duration = Duration::from_secs(600);

/// A server that has one file open.
pub(crate) struct Server {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    requests: u64,
    versions: u64,
    uri: String,
    text: String,
    quiet: bool,
}

impl Server {
    /// Starts the server on a crate, and waits until it has read and compiled it.
    pub(crate) fn open(folder: &Path, file: &str) -> Server {
        let mut process = Command::new("rust-analyzer")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| {
                panic!("rust-analyzer does not start: {e}: rustup component add rust-analyzer rust-src")
            });
        let (to, mut out) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let (send, from) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut out) {
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let uri = format!("file://{}", path.display());
        let mut server = Server { process, to, from, requests: 0, versions: 1, uri, text, quiet: false };
        server.request(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": format!("file://{}", folder.display()),
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": { "diagnostic": {}, "completion": { "completionItem": {} } },
                },
                "initializationOptions": { "checkOnSave": false, "cachePriming": { "enable": false } },
            }),
        );
        server.send(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
        let document =
            json!({ "uri": server.uri.clone(), "languageId": "rust", "version": 1, "text": server.text.clone() });
        server.send(&json!({
            "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document },
        }));
        let begun = Instant::now();
        while !server.quiet {
            assert!(begun.elapsed() < PATIENCE, "rust-analyzer does not come to rest");
            server.hear(Duration::from_secs(1));
        }
        server
    }

    /// The file is now this.
    pub(crate) fn change(&mut self, text: &str) {
        self.versions += 1;
        text.clone_into(&mut self.text);
        let document = json!({ "uri": self.uri, "version": self.versions });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.send(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params }));
    }

    /// What is offered at an offset.
    pub(crate) fn completions(&mut self, offset: usize) -> Vec<String> {
        let answer = self.at("textDocument/completion", offset);
        let items = answer.get("items").unwrap_or(&answer).as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["label"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What is shown for what stands at an offset.
    pub(crate) fn hover(&mut self, offset: usize) -> String {
        self.at("textDocument/hover", offset)["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The lines where what stands at an offset is defined (`definition`), or its type (`typeDefinition`).
    pub(crate) fn defined(&mut self, what: &str, offset: usize) -> Vec<String> {
        let answer = self.at(&format!("textDocument/{what}"), offset);
        let places = if answer.is_array() { answer.as_array().cloned().unwrap_or_default() } else { vec![answer] };
        let line = |place: &Value| {
            let line = place["range"]["start"]["line"].as_u64()?;
            let here = place["uri"].as_str() == Some(&self.uri);
            here.then(|| self.text.lines().nth(usize::try_from(line).ok()?).map(|line| line.trim().to_owned()))?
        };
        places.iter().filter_map(line).collect()
    }

    /// What the server itself complains of.
    pub(crate) fn diagnostics(&mut self) -> Vec<String> {
        let answer = self.request("textDocument/diagnostic", &json!({ "textDocument": { "uri": self.uri.clone() } }));
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|it| format!("{}: {}", it["range"]["start"]["line"], it["message"])).collect()
    }

    fn at(&mut self, method: &str, offset: usize) -> Value {
        let before = &self.text[..offset];
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let position = json!({ "line": line, "character": character });
        let document = json!({ "uri": self.uri.clone() });
        self.request(method, &json!({ "textDocument": document, "position": position }))
    }

    /// Sends a request and waits for its answer; what the server has discarded because of a change is asked again.
    fn request(&mut self, method: &str, params: &Value) -> Value {
        let begun = Instant::now();
        loop {
            self.requests += 1;
            let id = self.requests;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = loop {
                assert!(begun.elapsed() < PATIENCE, "rust-analyzer does not answer {method}");
                match self.hear(Duration::from_secs(1)) {
                    Some(message) if message["id"] == json!(id) => break message,
                    _ => {}
                }
            };
            // "content modified", "server cancelled"
            match answer["error"]["code"].as_i64() {
                Some(-32801 | -32802) => std::thread::sleep(Duration::from_millis(200)),
                Some(_) => panic!("{method}: {}", answer["error"]),
                None => return answer["result"].clone(),
            }
        }
    }

    /// The next answer, if there is one soon. What the server asks is answered, what it tells is noted.
    fn hear(&mut self, patience: Duration) -> Option<Value> {
        let message = match self.from.recv_timeout(patience) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => panic!("rust-analyzer has ended"),
        };
        match message["method"].as_str() {
            None => return Some(message),
            Some("experimental/serverStatus") => {
                self.quiet = message["params"]["quiescent"] == json!(true);
                let health = &message["params"]["health"];
                assert!(health == "ok", "rust-analyzer: {}", message["params"]["message"]);
            }
            Some(_) => {}
        }
        if let Some(id) = message.get("id") {
            // Nothing is configured.
            let items = message["params"]["items"].as_array().map(|items| vec![Value::Null; items.len()]);
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": items }));
        }
        None
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One message: headers, an empty line, JSON.
fn read(from: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
