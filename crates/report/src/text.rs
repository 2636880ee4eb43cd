//! Texts out of images, made fit for people; and quantities in words.

use jiff::Timestamp;

use crate::model::{AdvisorySource, Totals};

/// A text on one line in which nothing controls the terminal, hides, or turns the direction of what follows: such a
/// character is shown as `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unfit(character) { shown.extend(character.escape_unicode()) } else { shown.push(character) }
    }
    shown
}

/// The same for a page: without markup too, quotes included.
#[must_use]
pub fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            character => shown.push(character),
        }
    }
    shown
}

/// Whether a character has an effect other than to be seen: controls, what has no width, what turns the direction,
/// separators of lines, tags.
pub(crate) fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A link that leads to a page, as advisories have them; nothing else is made clickable.
#[must_use]
pub fn link(text: &str) -> Option<&str> {
    let is_link = (text.starts_with("https://") || text.starts_with("http://"))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`'))
        && !text.contains(['{', '|', '}']);
    is_link.then_some(text)
}

/// `1 package`, `2 packages`.
#[must_use]
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How many advisories a source has.
pub(crate) fn advisories(source: &AdvisorySource) -> String {
    count(usize::try_from(source.count).unwrap_or(usize::MAX), "advisory", "advisories")
}

/// How many files were looked at.
pub(crate) fn files(totals: &Totals) -> String {
    count(usize::try_from(totals.files).unwrap_or(usize::MAX), "file", "files")
}

/// A size in bytes for people: `512 B`, `8.0 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for larger in units {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// How long before `now` something was: `3 days ago`. A moment that is still to come is `just now`.
#[must_use]
pub fn age(moment: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(moment.as_second());
    let (number, one, many) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute", "minutes"),
        3600..86400 => (seconds / 3600, "hour", "hours"),
        _ => (seconds / 86400, "day", "days"),
    };
    format!("{} ago", count(usize::try_from(number).unwrap_or(usize::MAX), one, many))
}

/// A moment in UTC to the second, as the standards ask for it: `2026-11-22T10:00:00Z`.
#[must_use]
pub fn moment(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_what_would_have_an_effect() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}d"), r"a\u{1b}[2Jb\u{a}c\u{9b}d");
        assert_eq!(printable("\u{202e}gpj.exe\u{200b}"), r"\u{202e}gpj.exe\u{200b}");
        assert_eq!(printable("caf\u{e9} 日本"), "café 日本");
        assert_eq!(html("<a href='x' b=\"&\">"), "&lt;a href=&#39;x&#39; b=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn only_pages_are_links() {
        assert!(link("https://security-tracker.debian.org/tracker/CVE-2024-1").is_some());
        for text in
            ["javascript:alert(1)", "ftp://a", "https://a/\"onclick=", "https://a b", "https://\u{202e}", ""]
        {
            assert_eq!(link(text), None, "{text}");
        }
    }

    #[test]
    fn words_of_quantities() {
        let sizes =
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1 << 33, "8.0 GiB")];
        for (bytes, words) in sizes {
            assert_eq!(size(bytes), words);
        }
        assert_eq!(size(u64::MAX), "15.9 EiB");
        let now = Timestamp::from_second(1_000_000).expect("a moment");
        let ages = [
            (0, "just now"),
            (-5, "just now"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (200_000, "2 days ago"),
        ];
        for (seconds, words) in ages {
            assert_eq!(age(Timestamp::from_second(1_000_000 - seconds).expect("a moment"), now), words);
        }
    }

    proptest! {
        #[test]
        fn nothing_unfit_is_left(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(is_unfit));
            let html = html(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']) && !html.chars().any(is_unfit));
        }
    }
}
