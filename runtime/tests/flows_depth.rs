//! Flows one after another and within one another: what a use of a flow costs the compiler does not grow with the number of those in front
//! of it. Where it does, this file does not come to an end.
//!
//! The jobs are checked, and not compiled: nobody runs them.

#![allow(missing_docs, dead_code, reason = "what is here is here to be checked")]

use pelton::prelude::*;

#[derive(Record, Clone, Debug)]
pub struct Trade {
    pub at: Timestamp,
    pub price: f64,
}

mod nest0 {
    pelton::stream! {
        pub flow nest(rows: Stream<super::Trade>) -> super::Trade {
            let dear = rows.filter(|t| t.price > 1.0);
            return dear;
        }
    }
}

macro_rules! nests {
    ($($name:ident around $inner:ident),+ $(,)?) => {$(
        mod $name {
            pelton::stream! {
                pub flow nest(rows: Stream<super::Trade>) -> super::Trade {
                    let inside = super::$inner::nest(rows);
                    let same = inside.map(|t| t);
                    return same;
                }
            }
        }
    )+};
}

nests! {
    nest1 around nest0, nest2 around nest1, nest3 around nest2, nest4 around nest3, nest5 around nest4, nest6 around nest5,
    nest7 around nest6, nest8 around nest7, nest9 around nest8, nest10 around nest9, nest11 around nest10, nest12 around nest11,
}

pelton::stream! {
    job Chain<Memory> {
        param trades: Vec<Trade>;

        source s0: Trade = rows(trades), event_time |t| t.at, late_by 1s;
        let s1 = nest0::nest(s0);
        let s2 = nest0::nest(s1);
        let s3 = nest0::nest(s2);
        let s4 = nest0::nest(s3);
        let s5 = nest0::nest(s4);
        let s6 = nest0::nest(s5);
        let s7 = nest0::nest(s6);
        let s8 = nest0::nest(s7);
        let s9 = nest0::nest(s8);
        let s10 = nest0::nest(s9);
        let s11 = nest0::nest(s10);
        let s12 = nest0::nest(s11);
        let all: Trade = s12.map(|t| t);
        sink out(all) = collect();
    }

    job Nest<Memory> {
        param trades: Vec<Trade>;

        source rows: Trade = rows(trades);
        let inside = nest12::nest(rows);
        let all: Trade = inside.map(|t| t);
        sink out(all) = collect();
    }
}
