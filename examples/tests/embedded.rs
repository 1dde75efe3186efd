//! A job inside of a server: requests go in and answers come out while it runs, whoever is slow holds himself alone, and at the end
//! nothing is lost.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::program;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The server, which is killed if a test fails.
struct Server {
    process: Child,
    said: BufReader<std::process::ChildStderr>,
    address: String,
}

impl Server {
    fn start() -> Server {
        let mut command = program("embedded");
        let mut process = command.arg("127.0.0.1:0").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening at ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Server { process, said, address }
    }

    fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.address).unwrap();
        // Rather a failed test than one that hangs.
        connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        connection
    }

    fn ask_to_end(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap().success());
    }

    /// What it says last.
    #[track_caller]
    fn ended(mut self) -> String {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}: {rest}");
        rest
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn request(card: &str, cents: u64) -> String {
    format!("{{\"card\":\"{card}\",\"cents\":{cents}}}\n")
}

fn answers(connection: TcpStream) -> Vec<String> {
    BufReader::new(connection).lines().map(|line| line.unwrap()).collect()
}

#[test]
fn every_request_has_its_answer_and_cards_are_summed_over_clients() {
    let server = Server::start();
    let clients: Vec<Vec<String>> = std::thread::scope(|threads| {
        let client = |_| {
            let mut connection = server.connect();
            threads.spawn(move || {
                for n in 0..300 {
                    connection.write_all(request(["A", "B", "C"][n % 3], 10).as_bytes()).unwrap();
                }
                connection.shutdown(Shutdown::Write).unwrap();
                answers(connection)
            })
        };
        let clients: Vec<_> = (0..3).map(client).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let mut of_cards: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for client in &clients {
        assert_eq!(client.len(), 300);
        for answer in client {
            let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
            let number = |field: &str| answer[field].as_u64().unwrap();
            let card = answer["card"].as_str().unwrap().to_owned();
            of_cards.entry(card).or_default().push((number("payments"), number("cents")));
        }
    }
    assert_eq!(of_cards.len(), 3);
    for (card, mut totals) in of_cards {
        totals.sort_unstable();
        // Each payment is seen once, whoever made it.
        assert!(totals == (1..=300).map(|n| (n, n * 10)).collect::<Vec<_>>(), "{card}: {totals:?}");
    }
    server.ask_to_end();
    assert_eq!(server.ended(), "900 payments, 900 answers\n");
}

#[test]
fn what_is_no_request_is_told_and_harms_nobody() {
    let server = Server::start();
    let mut connection = server.connect();
    connection.write_all(format!("{}nonsense\n{{\"card\":\"A\"}}\n", request("A", 250)).as_bytes()).unwrap();
    connection.write_all(request("A", 1).as_bytes()).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut found = answers(connection);
    found.sort_unstable();
    let expected = [
        "{\"card\":\"A\",\"payments\":1,\"cents\":250}",
        "{\"card\":\"A\",\"payments\":2,\"cents\":251}",
        "{\"error\":\"expected ident at line 1 column 2\"}",
        "{\"error\":\"missing field `cents` at line 1 column 12\"}",
    ];
    assert_eq!(found, expected);
    server.ask_to_end();
    assert_eq!(server.ended(), "2 payments, 2 answers\n");
}

#[test]
fn a_client_that_does_not_read_has_to_wait_and_nobody_else_does() {
    let server = Server::start();
    let mut slow = server.connect();
    slow.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
    // Long names fill what the system keeps of a connection the sooner.
    let line = request(&"S".repeat(30_000), 1);
    let mut sent = 0usize;
    let partly = loop {
        match slow.write(&line.as_bytes()[sent % line.len()..]) {
            Ok(bytes) => sent += bytes,
            Err(error) => break error,
        }
        assert!(sent < 1 << 30, "nobody holds the client");
    };
    assert!(matches!(partly.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{partly}");
    // Meanwhile others are served.
    let mut quick = server.connect();
    quick.write_all(request("Q", 5).as_bytes()).unwrap();
    quick.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answers(quick), ["{\"card\":\"Q\",\"payments\":1,\"cents\":5}"]);
    // And once it reads, it gets all of its answers.
    let rest = line.as_bytes()[sent % line.len()..].to_owned();
    let requests = (sent + rest.len()) / line.len();
    let finish = {
        let mut slow = slow.try_clone().unwrap();
        slow.set_write_timeout(None).unwrap();
        std::thread::spawn(move || {
            slow.write_all(&rest).unwrap();
            slow.shutdown(Shutdown::Write).unwrap();
        })
    };
    let found = answers(slow);
    finish.join().unwrap();
    assert_eq!(found.len(), requests);
    assert!(found[requests - 1].ends_with(&format!("\"payments\":{requests},\"cents\":{requests}}}")));
    server.ask_to_end();
    server.ended();
}

#[test]
fn what_was_read_is_answered_when_it_is_asked_to_end() {
    let server = Server::start();
    let mut connection = server.connect();
    for _ in 0..500 {
        connection.write_all(request("A", 3).as_bytes()).unwrap();
    }
    let mut lines = BufReader::new(connection);
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, "{\"card\":\"A\",\"payments\":1,\"cents\":3}\n");
    server.ask_to_end();
    let rest: Vec<String> = lines.lines().map(|line| line.unwrap()).collect();
    let all = rest.len() + 1;
    let expected = |n: usize| format!("{{\"card\":\"A\",\"payments\":{n},\"cents\":{}}}", 3 * n);
    assert!(rest.iter().zip(2..).all(|(answer, n)| *answer == expected(n)), "{rest:?}");
    assert_eq!(server.ended(), format!("{all} payments, {all} answers\n"));
}
