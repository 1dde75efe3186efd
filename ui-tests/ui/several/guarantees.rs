//! Three connectors that do not keep what is said, of Pelton and of one's own.

use pelton::channel::{Receiver, channel};
use pelton::error::Fault;
use pelton::prelude::*;
use pelton::sink::{Committer, Guarantee, Null, NullWriter, Sink, SinkContext};
use pelton_ui_tests::Trade;

struct Mail;

impl Sink for Mail {
    type Writer = NullWriter;
    const GUARANTEE: Guarantee = Guarantee::AtLeastOnce("a mail cannot be taken back");

    fn writer(&mut self, context: &SinkContext) -> Result<NullWriter, Fault> {
        Null::writer(&mut null(), context)
    }
    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Null::committer(&mut null(), context, from)
    }
    fn describe(&self) -> String {
        "mail".to_owned()
    }
}

stream! {
    job Board<Memory> {
        param incoming: Receiver<Trade>;
        param file: PathBuf;
        checkpoint every 10s, at_least_once;
        source taken: Trade = channel(incoming), event_time |t| t.at, late_by 1h;
        source stored: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink mails(stored) = Mail;
        let trades: Trade = taken.inspect(|t| drop(t.at));
        sink kept(trades) = collect();
    }
}

stream! {
    job Mails<Memory> {
        param file: PathBuf;
        checkpoint every 10s, exactly_once;
        source trades: Trade = csv(file);

        sink mails(trades) = Mail;
    }
}

fn main() {}
