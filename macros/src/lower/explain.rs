//! The plan as short text, for tests.

use std::fmt::Write;

use super::flow::{Branch, Flow, Into, Send, Step};
use super::{Behind, Chain, Head, Out, Plan};

/// One line per operator, indented by depth.
pub(crate) fn explain(plan: &Plan) -> String {
    let mut text = String::new();
    for edge in &plan.edges {
        let kind = match (&edge.operator, edge.combined) {
            (super::Operator::Union, _) => "local",
            (super::Operator::Exchange(exchange), _) => exchange.kind(),
            (_, true) => "combined",
            (_, false) => "keyed",
        };
        let timed = edge.timing.text();
        let again = if edge.producers > 1 { format!(" x{}", edge.producers) } else { String::new() };
        line(&mut text, 0, &format!("edge {}{}: {kind}{timed}{again}", edge.stream, edge.suffix));
    }
    for chain in &plan.chains {
        let head = &chain.operators[0];
        let untimed = if chain.time.is_some() { "" } else { ", no time" };
        let order = if head.arrival_ordered { ", by arrival" } else { "" };
        let apart = match (chain.head, chain.behind) {
            (Head::Output(..), Behind::One) => ", then a flow",
            (Head::Output(..), Behind::More) => ", then flows",
            _ => "",
        };
        line(&mut text, 0, &format!("chain {}: {}{untimed}{order}{apart}", chain.stream, head.what));
        if let Head::Source(_, source) = chain.head
            && source.event_time.is_some()
        {
            line(&mut text, 1, "0 event_time");
        }
        flow(plan, chain, &chain.body, 1, &mut text);
        if let Some(late) = &chain.late {
            line(&mut text, 1, "late");
            flow(plan, chain, late, 2, &mut text);
        }
        if let Some((errors, counter)) = &chain.errors {
            line(&mut text, 1, &format!("errors #{counter}"));
            flow(plan, chain, errors, 2, &mut text);
        }
        for (side, counter) in &chain.sides {
            line(&mut text, 1, &format!("output #{counter}"));
            flow(plan, chain, side, 2, &mut text);
        }
    }
    text
}

fn line(text: &mut String, depth: usize, what: &str) {
    let _ = writeln!(text, "{:1$}{what}", "", depth * 2);
}

fn flow(plan: &Plan, chain: &Chain, it: &Flow, depth: usize, text: &mut String) {
    for step in &it.steps {
        match step {
            Step::Op { op, index, counter, .. } => {
                let counter = counter.map_or(String::new(), |n| format!(" #{n}"));
                let name = &chain.operators[*index].name;
                let name = if name.is_empty() { String::new() } else { format!(" = {name}") };
                line(text, depth, &format!("{index} {}{counter}{name}", op.name));
            }
            Step::Declared(_) => line(text, depth, "declared"),
        }
    }
    let many = it.ends.len() > 1;
    for end in super::flow::in_order(&it.ends, Branch::takes) {
        let takes = match (many, end.takes()) {
            (false, _) => "",
            (true, true) => " takes",
            (true, false) => " looks",
        };
        match end {
            Branch::Flow { at, flow: inner, .. } => {
                if many {
                    line(text, depth, &format!("for {at}{takes}"));
                }
                flow(plan, chain, inner, depth + usize::from(many), text);
            }
            Branch::Keyed { op, index, sends, .. } => {
                line(text, depth, &format!("{index} {}{takes}", op.name));
                self::sends(plan, chain, sends, depth + 1, text);
            }
            Branch::Came { sends, .. } => {
                line(text, depth, &format!("keyed{takes}"));
                self::sends(plan, chain, sends, depth + 1, text);
            }
            Branch::Exchange { op, index, out: to, .. } => {
                line(text, depth, &format!("{index} {}{takes}", op.name));
                line(text, depth + 1, &format!("-> {}", out(plan, chain, *to)));
            }
            Branch::Split { index, ways, .. } => {
                line(text, depth, &format!("{index} split{takes}"));
                for way in ways {
                    line(text, depth + 1, &format!("{} #{}", way.arm.name, way.counter));
                    flow(plan, chain, &way.flow, depth + 2, text);
                }
            }
            Branch::Union { out: to, .. } | Branch::Sink { out: to, .. } | Branch::Enter { out: to, .. } => {
                line(text, depth, &format!("-> {}{takes}", out(plan, chain, *to)));
            }
        }
    }
}

fn out(plan: &Plan, chain: &Chain, out: usize) -> String {
    match chain.outs[out] {
        Out::Edge { edge, producer } => {
            let edge = &plan.edges[edge];
            format!("{}{}.{producer}", edge.stream, edge.suffix)
        }
        Out::Flow { id, input, .. } => format!("flow {}.{input}", plan.model.stream(id).name),
        Out::Return { output, .. } => format!("return {output}"),
        Out::Sink { sink, producer, .. } => format!("{}.{producer}", plan.sinks[sink].name),
    }
}

fn sends(plan: &Plan, chain: &Chain, sends: &[Send], depth: usize, text: &mut String) {
    for send in super::flow::in_order(sends, Send::takes) {
        let what = match send.into {
            Into::Edge { words: Some((how, Some(index))), .. } => format!(": {} at {index}", how.text()),
            Into::Edge { words: Some((how, None)), .. } => format!(": {}", how.text()),
            Into::Edge { words: None, .. } => ": row".to_string(),
            Into::Flow => String::new(),
        };
        line(text, depth, &format!("-> {}{what}", out(plan, chain, send.out)));
    }
}
