//! How bad a vulnerability is, of what its source says.

use cvss::{Cvss, Severity as Qualitative};

use crate::{Severity, SeverityLevel};

/// The longest vector that is read: one of CVSS 4.0 with every metric has about 250 letters.
const LONGEST_VECTOR: usize = 512;

impl Severity {
    /// Of CVSS vectors for the same thing: the one of the newest CVSS that can be scored; `None` when none can.
    pub fn of_vectors<'a>(vectors: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let scored = vectors.into_iter().filter_map(|vector| {
            let cvss = parse(vector)?;
            Some((generation(&cvss), Self::of_cvss(vector, &cvss)))
        });
        // Of equals, the first.
        let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, severity)| severity)
    }

    fn of_cvss(vector: &str, cvss: &Cvss) -> Self {
        let level = match cvss.severity() {
            Qualitative::None => SeverityLevel::Negligible,
            Qualitative::Low => SeverityLevel::Low,
            Qualitative::Medium => SeverityLevel::Medium,
            Qualitative::High => SeverityLevel::High,
            Qualitative::Critical => SeverityLevel::Critical,
        };
        Self { level, score: Some(cvss.score()), vector: bare(vector).to_owned(), word: String::new() }
    }

    /// Of the word that a source has for it: Debian's urgencies, the ratings of Red Hat, SUSE, Ubuntu and GitHub.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let level = match word.trim().trim_end_matches('*').to_ascii_lowercase().as_str() {
            "critical" | "malicious" => SeverityLevel::Critical,
            "important" | "high" => SeverityLevel::High,
            "moderate" | "medium" => SeverityLevel::Medium,
            "low" | "minor" => SeverityLevel::Low,
            "unimportant" | "negligible" | "none" => SeverityLevel::Negligible,
            _ => SeverityLevel::Unknown,
        };
        Self { level, word: word.trim().to_owned(), ..Self::default() }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.level == SeverityLevel::Unknown && self.vector.is_empty() && self.word.is_empty()
    }

    /// Of what several advisories say of one vulnerability, the better founded: a vector before a word, the newest
    /// CVSS before older ones, then the worst.
    #[must_use]
    pub fn better(self, other: Self) -> Self {
        let weight = |severity: &Self| {
            let generation = parse(&severity.vector).map_or(0, |cvss| generation(&cvss));
            let tenths = severity.score.map_or(-1, |score| (score * 10.0).round() as i64);
            (generation, tenths, severity.level)
        };
        let order = weight(&self).cmp(&weight(&other));
        // Equals are told apart by their texts, so that the order in which they come does not matter.
        let order =
            order.then_with(|| self.vector.cmp(&other.vector)).then_with(|| self.word.cmp(&other.word));
        if order.is_lt() { other } else { self }
    }
}

fn parse(vector: &str) -> Option<Cvss> {
    let vector = bare(vector);
    if vector.len() > LONGEST_VECTOR { None } else { vector.parse().ok() }
}

/// A vector without the brackets in which those of CVSS 2 often stand.
fn bare(vector: &str) -> &str {
    vector.trim().trim_start_matches('(').trim_end_matches(')')
}

fn generation(cvss: &Cvss) -> u8 {
    match cvss {
        Cvss::CvssV20(_) => 1,
        Cvss::CvssV30(_) => 2,
        Cvss::CvssV31(_) => 3,
        Cvss::CvssV40(_) => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_scored_as_their_calculators_do() {
        for (vector, score, level) in [
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, SeverityLevel::High),
            ("(AV:L/AC:H/Au:N/C:N/I:N/A:P)", 1.2, SeverityLevel::Low),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, SeverityLevel::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, SeverityLevel::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, SeverityLevel::Negligible),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, SeverityLevel::Critical),
            // Metrics of time and place beside those of the base, whose score it is.
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C", 9.8, SeverityLevel::Critical),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:X/RL:X/RC:X", 7.5, SeverityLevel::High),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:U/RL:OF/RC:C", 7.5, SeverityLevel::High),
        ] {
            let severity = Severity::of_vectors([vector]).expect(vector);
            assert_eq!((severity.score, severity.level), (Some(score), level), "{vector}");
        }
    }

    #[test]
    fn the_newest_vector_counts_and_bad_ones_do_not() {
        let old = "AV:N/AC:L/Au:N/C:P/I:P/A:P";
        let new = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
        let long = format!("{new}{}", "/E:X".repeat(1000));
        assert_eq!(Severity::of_vectors([old, new, "CVSS:9.9/AV:N"]).expect("scored").vector, new);
        for bad in ["", "7.5", "CVSS:3.1/AV:Q", "CVSS:3.1", long.as_str()] {
            assert_eq!(Severity::of_vectors([bad]), None, "{bad}");
        }
    }

    #[test]
    fn words_are_understood() {
        for (word, level) in [
            ("unimportant", SeverityLevel::Negligible),
            ("low**", SeverityLevel::Low),
            ("Moderate", SeverityLevel::Medium),
            ("Important", SeverityLevel::High),
            ("CRITICAL", SeverityLevel::Critical),
            ("not yet assigned", SeverityLevel::Unknown),
        ] {
            assert_eq!(Severity::of_word(word).level, level, "{word}");
        }
        assert_eq!(Severity::of_word("end-of-life").word, "end-of-life");
    }

    #[test]
    fn the_better_founded_is_the_same_in_either_order() {
        let word = Severity::of_word("critical");
        let three = Severity::of_vectors(["CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"]).expect("scored");
        let worse = Severity::of_vectors(["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]).expect("scored");
        for (one, other, best) in
            [(&word, &three, &three), (&three, &worse, &worse), (&Severity::default(), &word, &word)]
        {
            assert_eq!(&one.clone().better(other.clone()), best);
            assert_eq!(&other.clone().better(one.clone()), best);
        }
    }
}
