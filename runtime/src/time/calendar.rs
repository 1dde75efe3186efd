//! Days since 1970-01-01 to and from dates of the Gregorian calendar, also before it was introduced (proleptic).
//!
//! The algorithm is Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms", `days_from_civil` and
//! `civil_from_days`): years are counted from March, so that the leap day is the last day of its year, in eras of
//! 400 years, which have all the same length.

const DAYS_PER_ERA: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// A date; months and days are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// Days from 1970-01-01 to the date, which must exist; exact for all years that fit 58 bits.
#[inline]
pub(super) const fn days_of(date: Date) -> i64 {
    let year = if date.month <= 2 { date.year - 1 } else { date.year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_from_march = (date.month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH
}

/// The date that many days after 1970-01-01; for every number of days that milliseconds in 64 bits can express.
#[inline]
pub(super) const fn date_of(days: i64) -> Date {
    let days = days + EPOCH;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days - era * DAYS_PER_ERA;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400;
    Date {
        year: if month <= 2 { year + 1 } else { year },
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
    }
}

/// How many days the month has.
#[inline]
pub(super) const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn known_dates() {
        for (days, year, month, day) in [
            (0, 1970, 1, 1),
            (-1, 1969, 12, 31),
            (-719_468, 0, 3, 1),
            (-719_528, 0, 1, 1),
            (11_016, 2000, 2, 29),
            (11_017, 2000, 3, 1),
            (15_706, 2013, 1, 1),
            (47_540, 2100, 2, 28),
            (47_541, 2100, 3, 1),
            (2_932_896, 9999, 12, 31),
            (-25_508, 1900, 3, 1),
        ] {
            let date = Date { year, month, day };
            assert_eq!(date_of(days), date);
            assert_eq!(days_of(date), days, "{date:?}");
        }
    }

    #[test]
    fn day_follows_day_for_an_era_and_more() {
        let mut last = date_of(-200_000);
        for days in -199_999..200_000 {
            let next = date_of(days);
            let expected = if last.day < days_in(last.year, last.month) {
                Date { day: last.day + 1, ..last }
            } else if last.month < 12 {
                Date { year: last.year, month: last.month + 1, day: 1 }
            } else {
                Date { year: last.year + 1, month: 1, day: 1 }
            };
            assert_eq!(next, expected, "{days} days");
            last = next;
        }
    }

    proptest! {
        #[test]
        fn days_and_dates_are_inverse(ms: i64) {
            let days = ms.div_euclid(DAY_MS);
            let date = date_of(days);
            prop_assert!((1..=12).contains(&date.month));
            prop_assert!((1..=days_in(date.year, date.month)).contains(&date.day));
            prop_assert_eq!(days_of(date), days);
        }
    }

    #[test]
    fn the_ends_of_the_range_have_dates() {
        for ms in [i64::MIN, i64::MAX] {
            let days = ms.div_euclid(DAY_MS);
            assert_eq!(days_of(date_of(days)), days);
        }
        assert_eq!(date_of(i64::MAX.div_euclid(DAY_MS)), Date { year: 292_278_994, month: 8, day: 17 });
    }
}
