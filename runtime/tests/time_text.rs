//! Times and spans as text, and as serde values.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use pelton::time::{TimeSpan, Timestamp};
use proptest::prelude::*;

/// 2013-01-01T10:17:00Z
const TEN_SEVENTEEN: i64 = 1_357_035_420_000;

#[track_caller]
fn reads(text: &str, ms: i64) {
    assert_eq!(text.parse::<Timestamp>().map(Timestamp::millis), Ok(ms), "{text}");
}

#[track_caller]
fn refused(text: &str, message: &str) {
    assert_eq!(text.parse::<Timestamp>().unwrap_err().to_string(), message);
}

#[test]
fn every_usual_form_of_a_time_is_read() {
    reads("2013-01-01T10:17:00Z", TEN_SEVENTEEN);
    reads("2013-01-01t10:17:00z", TEN_SEVENTEEN);
    reads("2013-01-01 10:17:00", TEN_SEVENTEEN);
    reads("2013-01-01 10:17", TEN_SEVENTEEN);
    reads("2013-01-01T10:17:00.5Z", TEN_SEVENTEEN + 500);
    reads("2013-01-01T10:17:00.1239999Z", TEN_SEVENTEEN + 123);
    reads("2013-01-01T10:17:00,25+00:00", TEN_SEVENTEEN + 250);
    reads("2013-01-01T12:17:00+02:00", TEN_SEVENTEEN);
    reads("2013-01-01T12:17:00+0200", TEN_SEVENTEEN);
    reads("2013-01-01T12:17:00+02", TEN_SEVENTEEN);
    reads("2012-12-31T22:47:00-11:30", TEN_SEVENTEEN);
    reads("2013-01-01", TEN_SEVENTEEN - 37_020_000);
    reads("1970-01-01T00:00:00Z", 0);
    reads("1969-12-31T23:59:59.999Z", -1);
    reads("0000-01-01T00:00:00Z", -62_167_219_200_000);
    reads("9999-12-31T23:59:59.999Z", 253_402_300_799_999);
    reads("2016-12-31T23:59:60Z", 1_483_228_800_000);
    reads("2024-02-29T00:00:00Z", 1_709_164_800_000);
    reads("-62167219200001ms", -62_167_219_200_001);
    reads("9223372036854775807ms", i64::MAX);
}

#[test]
fn what_is_no_time_is_refused_with_place_and_cure() {
    let like = "write it like `2013-01-01T10:17:00Z`";
    refused("", &format!("``: expected a year of four digits at character 1; {like}"));
    refused("2013-13-01", &format!("`2013-13-01`: expected a month from 01 to 12 at character 6; {like}"));
    refused(
        "2013-02-29T10:17:00Z",
        &format!("`2013-02-29T10:17:00Z`: expected a day from 01 to 28 at character 9; {like}"),
    );
    refused(
        "2100-02-29T10:17:00Z",
        &format!("`2100-02-29T10:17:00Z`: expected a day from 01 to 28 at character 9; {like}"),
    );
    refused(
        "2013-01-01T24:00:00Z",
        &format!("`2013-01-01T24:00:00Z`: expected an hour from 00 to 23 at character 12; {like}"),
    );
    refused(
        "2013-01-01T10:17:60Z",
        &format!("`2013-01-01T10:17:60Z`: expected a second from 00 to 59 at character 18; {like}"),
    );
    refused(
        "2013-01-01T10:17:00Q",
        &format!("`2013-01-01T10:17:00Q`: expected `Z` or an offset like `+02:00` at character 20; {like}"),
    );
    refused("2013-01-01T10:17:00Z ", &format!("`2013-01-01T10:17:00Z `: expected the end at character 21; {like}"));
    refused(
        "2013-01-01T10:17:00.Z",
        &format!("`2013-01-01T10:17:00.Z`: expected digits of a second at character 21; {like}"),
    );
    refused("13-01-01", &format!("`13-01-01`: expected a year of four digits at character 1; {like}"));
    refused("ms", &format!("`ms`: expected a whole number of milliseconds at character 1; {like}"));
    refused("20１3-01-01", &format!("`20１3-01-01`: expected a year of four digits at character 1; {like}"));
}

#[test]
fn a_time_is_written_with_milliseconds_only_if_it_has_some() {
    for (ms, text) in [
        (TEN_SEVENTEEN, "2013-01-01T10:17:00Z"),
        (TEN_SEVENTEEN + 7, "2013-01-01T10:17:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00Z"),
        (-62_167_219_200_001, "-62167219200001ms"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "253402300800000ms"),
        (i64::MIN, "-9223372036854775808ms"),
    ] {
        let at = Timestamp::from_millis(ms);
        assert_eq!(at.to_string(), text);
        assert_eq!(format!("{at:?}"), text);
        assert_eq!(serde_json::to_string(&at).unwrap(), format!("\"{text}\""));
        reads(text, ms);
    }
    assert_eq!(format!("[{:>22}]", Timestamp::default()), "[  1970-01-01T00:00:00Z]");
}

#[test]
fn serde_takes_text_and_whole_milliseconds() {
    let at = Timestamp::from_millis(TEN_SEVENTEEN);
    assert_eq!(serde_json::from_str::<Timestamp>("\"2013-01-01T12:17+02:00\"").unwrap(), at);
    assert_eq!(serde_json::from_str::<Timestamp>("1357035420000").unwrap(), at);
    assert_eq!(serde_json::from_str::<Timestamp>("-1").unwrap(), Timestamp::from_millis(-1));
    let error = serde_json::from_str::<Timestamp>("18446744073709551615").unwrap_err().to_string();
    assert!(error.contains("18446744073709551615 milliseconds are out of range"), "{error}");
    let error = serde_json::from_str::<Timestamp>("true").unwrap_err().to_string();
    assert!(error.contains("expected a time like `2013-01-01T10:17:00Z`, or milliseconds since 1970"), "{error}");
    let bytes = rmp_serde::to_vec(&at).unwrap();
    assert_eq!(bytes.len(), 9, "a number where no person reads");
    assert_eq!(rmp_serde::from_slice::<Timestamp>(&bytes).unwrap(), at);
}

#[test]
fn csv_reads_and_writes_times() {
    let text = "2013-01-01T10:17:00Z,1357035420000,1h30min,\n";
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    type Row = (Timestamp, Timestamp, TimeSpan, Option<Timestamp>);
    let row: Row = reader.deserialize().next().unwrap().unwrap();
    let at = Timestamp::from_millis(TEN_SEVENTEEN);
    assert_eq!(row, (at, at, TimeSpan::from_mins(90), None));
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.serialize(row).unwrap();
    let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    assert_eq!(written, "2013-01-01T10:17:00Z,2013-01-01T10:17:00Z,1h30min,\n");
}

#[test]
fn spans_are_read_and_written_with_their_units() {
    for (text, us, written) in [
        ("0s", 0, "0s"),
        ("0d", 0, "0s"),
        ("-0s", 0, "0s"),
        ("250us", 250, "250us"),
        ("100ms", 100_000, "100ms"),
        ("1500ms", 1_500_000, "1s500ms"),
        ("90min", 5_400_000_000, "1h30min"),
        ("1h30min", 5_400_000_000, "1h30min"),
        ("7d", 604_800_000_000, "7d"),
        ("-1d2h3min4s5ms6us", -93_784_005_006, "-1d2h3min4s5ms6us"),
        ("-9223372036854775808us", i64::MIN, "-106751991d4h54s775ms808us"),
    ] {
        let span = TimeSpan::from_micros(us);
        assert_eq!(text.parse(), Ok(span), "{text}");
        assert_eq!(span.to_string(), written);
        assert_eq!(format!("{span:?}"), written);
        assert_eq!(serde_json::to_string(&span).unwrap(), format!("\"{written}\""));
        assert_eq!(serde_json::from_str::<TimeSpan>(&format!("\"{text}\"")).unwrap(), span);
    }
}

#[test]
fn what_is_no_span_is_refused_with_place_and_cure() {
    for (text, message) in [
        ("", "``: expected a whole number with a unit at character 1; write it like `1h30min`"),
        ("-", "`-`: expected a whole number with a unit at character 2; write it like `1h30min`"),
        ("h", "`h`: expected a whole number with a unit at character 1; write it like `1h30min`"),
        ("10", "`10`: expected a unit: d, h, min, s, ms or us at character 3; write it like `1h30min`"),
        ("1.5h", "`1.5h`: expected a unit: d, h, min, s, ms or us at character 2; write it like `1h30min`"),
        ("10m", "`10m`: expected `min` for minutes or `ms` for milliseconds at character 3; write it like `1h30min`"),
        ("10y", "`10y`: expected one of the units d, h, min, s, ms, us at character 3; write it like `1h30min`"),
        ("1s1h", "`1s1h`: expected units from large to small, each once at character 4; write it like `1h30min`"),
        ("1s1s", "`1s1s`: expected units from large to small, each once at character 4; write it like `1h30min`"),
        ("1h ", "`1h `: expected a whole number with a unit at character 3; write it like `1h30min`"),
        (
            "9223372036854775808us",
            "`9223372036854775808us`: expected a span of at most 292,000 years at character 1; write it like \
             `1h30min`",
        ),
        (
            "106751992d",
            "`106751992d`: expected a span of at most 292,000 years at character 1; write it like `1h30min`",
        ),
    ] {
        assert_eq!(text.parse::<TimeSpan>().unwrap_err().to_string(), message);
    }
}

#[test]
fn spans_calculate_and_convert() {
    let hour = TimeSpan::from_hours(1);
    assert_eq!(hour + TimeSpan::from_mins(30) - TimeSpan::from_secs(60), TimeSpan::from_mins(89));
    assert_eq!((-hour * 2).to_string(), "-2h");
    assert_eq!(TimeSpan::MAX + hour, TimeSpan::MAX);
    assert_eq!(TimeSpan::MAX * -2, TimeSpan::from_micros(i64::MIN));
    assert_eq!(-TimeSpan::from_micros(i64::MIN), TimeSpan::MAX);
    assert_eq!(TimeSpan::try_from(Duration::from_nanos(1_999)), Ok(TimeSpan::from_micros(1)));
    assert_eq!(Duration::try_from(hour), Ok(Duration::from_secs(3600)));
    assert!(Duration::try_from(-hour).is_err());
    assert!(TimeSpan::try_from(Duration::MAX).is_err());
}

proptest! {
    #[test]
    fn a_time_is_read_as_it_was_written(ms: i64) {
        let at = Timestamp::from_millis(ms);
        prop_assert_eq!(at.to_string().parse(), Ok(at));
    }

    #[test]
    fn a_time_of_our_days_is_read_as_it_was_written(ms in -62_167_219_200_000i64..253_402_300_800_000) {
        for ms in [ms, ms - ms.rem_euclid(1000)] {
            let at = Timestamp::from_millis(ms);
            let text = at.to_string();
            prop_assert!(text.ends_with('Z') && text.as_bytes()[10] == b'T', "{}", text);
            prop_assert_eq!(text.parse(), Ok(at));
            prop_assert_eq!(text.replace('T', " ").replace('Z', "+00:00").parse(), Ok(at), "the slow path agrees");
        }
    }

    #[test]
    fn a_change_of_one_byte_is_another_time_or_none(
        ms in -62_167_219_200_000i64..253_402_300_800_000,
        at in 0usize..20,
        to in 0u8..128,
    ) {
        let time = Timestamp::from_millis(ms - ms.rem_euclid(1000));
        let mut text = time.to_string().into_bytes();
        let from = std::mem::replace(&mut text[at], to);
        let same_mark = matches!((at, from, to), (10, _, b'T' | b't' | b' ') | (19, _, b'Z' | b'z'));
        if from != to && !same_mark {
            let text = String::from_utf8(text).unwrap();
            prop_assert_ne!(text.parse(), Ok(time), "{}", text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text: String, digits in "[-0-9TZ:. +]{0,30}") {
        for text in [text, digits] {
            let _ = text.parse::<TimeSpan>();
            if let Ok(at) = text.parse::<Timestamp>() {
                prop_assert_eq!(at.to_string().parse(), Ok(at));
            }
        }
    }

    #[test]
    fn a_span_is_read_as_it_was_written(us: i64) {
        let span = TimeSpan::from_micros(us);
        prop_assert_eq!(span.to_string().parse(), Ok(span));
    }
}
