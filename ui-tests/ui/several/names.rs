//! Every kind of word, misspelled.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        resourc http: u32 = 1;
        checkpoint evry 10s;
        restart exponental 1s..=1min;
        source payments: Payment = csv(file), event_time |p| p.at, lateby 1h;
        source others: Payment = csv(file), event_tiem |p| p.at, late_by 1h;
        source more: Payment = csv(file), event_time |p| p.at, late_by 1h, on_error skipp;

        let a = more.key_by(|p| p.card).window(tumblin 1h).aggregate(count());
        let b = more.key_by(|p| p.card).window(tumbling 1h).agregate(count());
        let d = more.key_by(|p| p.card).aggregate(count(), emit evry 1s, unbounded("few"));
        let e = more.key_by(|p| p.card).window(tumbling 1h, alow_late 1h).aggregate(count());
        let f = mroe.map(|p| p.card);
        let g: u64 = more.key_by(|p| p.card).process {
            stat last: Value<u64>, ttl 1h;
            state next: Valeu<u64>, ttl 1h;
            timer quiet: event_tme;
            on evnt(p, cx) { cx.emit(1); }
        };
        sink out(more) = stdout();
        sink table(more) = csv(file);
        drop a.lat;
    }
}

fn main() {}
