//! A job of more than thirty operators: its picture can be read, and has all of it.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "plan/readable.rs"]
mod readable;
#[path = "plan/xml.rs"]
mod xml;

use pelton::plan::Plan;
use pelton::prelude::*;
use readable::look;
use std::sync::Arc;

#[derive(Record, Key, Serialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Currency {
    Euro,
    Yen,
}

#[derive(Record, Serialize, Clone, Debug, PartialEq)]
struct Payment {
    card: String,
    at: Timestamp,
    cents: u64,
    currency: Currency,
    abroad: bool,
}

#[derive(Record, Serialize, Clone, Debug, PartialEq)]
struct Alert {
    card: String,
    at: Timestamp,
    cents: u64,
}

stream! {
    job FraudBoard<Memory> {
        param cards: Arc<[Payment]>;
        param wires: Arc<[Payment]>;
        param quotes: Arc<[(Currency, u64)]>;
        param folder: PathBuf;

        source of_cards: Payment = rows(cards), event_time |p| p.at, late_by 1min;
        source of_wires: Payment = rows(wires), event_time |p| p.at, late_by 0s;
        source of_rates: (Currency, u64) = rows(quotes);

        let paid = of_cards.filter(|p| p.cents > 0).map(|p| p).inspect(|p| assert!(p.cents > 0));
        let kind = paid.split {
            abroad: |p| p.abroad;
            home: _;
        };
        let sent = of_wires.filter_map(|p| (p.cents > 99).then_some(p));
        let all = union(kind.home, sent);

        let hourly = all.key_by(|p| p.card).window(tumbling 1h, allow_late 10min, no_refire)
            .aggregate((count(), sum(|p| p.cents), max(|p| p.cents)));
        let board: (String, u64) = hourly.map(|w| (w.key.to_owned(), w.value.1)).filter(|(_, cents)| *cents > 0);
        let late = hourly.late;

        let alerts: Alert = kind.abroad.key_by(|p| p.card).process {
            in_order;
            state last: Value<Payment>, ttl 24h;
            output odd: Payment;
            on event(p, cx) {
                if last.get().is_some_and(|l| l.currency != p.currency) {
                    cx.emit(Alert { card: p.card.clone(), at: p.at, cents: p.cents });
                }
                if p.cents > 100_000 {
                    odd.emit(p.clone());
                }
                last.set(p);
            }
        };
        let odd: String = alerts.odd.map(|p| p.card);
        let ranked: (u64, u64) = alerts.flat_map(|a| [a.cents, a.cents / 2]).map(|cents| cents).global().map(|cents| (cents % 10, cents));

        let rates = of_rates.rebalance().map(|(c, rate)| (c, rate)).filter(|(_, rate)| *rate > 0);
        let newest: (Currency, u64) = rates.key_by(|(c, _)| *c).reduce(|a, b| (a.0, a.1.max(b.1)), emit each, ttl 24h).map(|(c, (_, rate))| (*c, rate));
        let spread = rates.shuffle().map(|(_, rate)| rate).broadcast().map(|rate| rate);
        let totals: (String, u64) = all.key_by(|p| p.card).aggregate(count(), emit at_end, unbounded("few")).map(|(card, n)| (card.to_owned(), n));

        drop alerts.late;

        sink hours(board) = csv(folder.join("hours.csv"));
        sink behind(late) = null();
        sink alarm(odd) = collect();
        sink top(ranked) = stdout();
        sink quoted(newest) = json(folder.join("quotes/"));
        sink rate(spread) = for_each(|_: u64| {});
        sink cards_of(totals) = collect();
    }
}

fn plan() -> Plan {
    let job = FraudBoard { cards: [].into(), wires: [].into(), quotes: [].into(), folder: "out".into() };
    job.plan(&Config::default().workers(4)).unwrap()
}

#[test]
fn it_can_be_read() {
    let plan = plan();
    let operators: usize = plan.chains.iter().map(|chain| chain.operators.len()).sum();
    assert!(operators >= 30, "{operators}");
    let svg = plan.to_svg();
    xml::well_formed_xml(&svg).unwrap();
    let seen = look(&svg);
    assert_eq!((seen.boxes.len(), seen.lines.len()), (plan.chains.len(), plan.edges.len()));
    assert_eq!((seen.labels.len(), seen.heads.len()), (plan.edges.len(), plan.edges.len()));
    assert_eq!(seen.problem(), None);
    // On a slide of 1920 × 1080 the letters of the operators, 13 px, are no smaller than 9.
    let shown = (1920.0 / seen.size.0).min(1080.0 / seen.size.1);
    assert!(shown * 13.0 >= 9.0, "{:?}", seen.size);
}

#[test]
fn nothing_is_left_out() {
    let plan = plan();
    let seen = look(&plan.to_svg());
    // What is long is broken into several lines.
    let all: String = seen.texts.iter().map(|text| text.shown.replace(' ', "")).collect::<Vec<_>>().join("\n");
    let joined = all.replace('\n', "");
    for operator in plan.chains.iter().flat_map(|chain| &chain.operators) {
        for text in [&operator.name, &operator.what] {
            assert!(joined.contains(&text.replace(' ', "")), "no {text} in\n{all}");
        }
    }
    for (n, edge) in plan.edges.iter().enumerate() {
        let label = seen.labels[n];
        let within = seen.texts.iter().filter(|text| label.holds(text.at));
        let label: String = within.map(|text| text.shown.replace(' ', "")).collect();
        let says =
            |what: &str| assert!(label.contains(&what.replace(' ', "")), "edge {n} does not say {what}: {label}");
        says(&edge.kind.words(&edge.key));
        says(&format!("cut at {}", edge.because));
        says(&edge.row);
        says(&format!("{} B", edge.row_bytes));
        assert!(label.contains("atmost") && label.ends_with("iBunderway"), "{label}");
    }
}

#[test]
fn what_cannot_be_read_is_found() {
    let seen = look(&plan().to_svg());
    let worse = |what: &str, change: &dyn Fn(&mut readable::Seen)| {
        let mut seen = seen.clone();
        change(&mut seen);
        let problem = seen.problem().unwrap_or_else(|| panic!("{what} is not found"));
        assert!(problem.contains(what), "{problem}");
    };
    worse("covers", &|seen| seen.boxes[1] = seen.boxes[0]);
    worse("covers", &|seen| seen.labels[0] = seen.boxes[0]);
    worse("is not on the page", &|seen| seen.size.0 /= 2.0);
    worse("does not stand in its box", &|seen| {
        let name = seen.texts.iter_mut().find(|text| text.class == "what").unwrap();
        name.at.width *= 9.0;
    });
    worse("goes through", &|seen| {
        let to = seen.boxes[0];
        seen.lines[0].push((to.x + to.width / 2.0, to.y + to.height / 2.0));
    });
    worse("the label of another", &|seen| {
        let two = [seen.labels[0], seen.labels[1]];
        seen.lines[2].extend(two.map(|label| (label.x + 5.0, label.y + 5.0)));
    });
}
