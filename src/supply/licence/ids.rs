//! The identifiers of the SPDX licence list, 3.29 (spdx.org/licenses), deprecated ones too; in any case of letters.

const LICENCES: &str = include_str!("licences.txt");
const EXCEPTIONS: &str = include_str!("exceptions.txt");

/// Returns a licence as the list spells it.
pub(super) fn licence(id: &str) -> Option<&'static str> {
    find(LICENCES, id)
}

/// Returns an exception as the list spells it.
pub(super) fn exception(id: &str) -> Option<&'static str> {
    find(EXCEPTIONS, id)
}

/// Finds a line of a sorted list by halving it.
fn find(list: &'static str, id: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = list.floor_char_boundary(usize::midpoint(low, high));
        let start = list[low..middle]
            .rfind('\n')
            .map_or(low, |end| low + end + 1);
        let end = list[middle..high]
            .find('\n')
            .map_or(high, |end| middle + end);
        let line = &list[start..end];
        let lowered = |c: u8| c.to_ascii_lowercase();
        match line.bytes().map(lowered).cmp(id.bytes().map(lowered)) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

/// No licence has a longer name; the time of a comparison grows with both lengths.
const LONGEST: usize = 100;

/// Returns the licence that is spelt most like a word.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let rated = LICENCES
        .lines()
        .map(|known| (strsim::jaro_winkler(&word, &known.to_lowercase()), known));
    let best = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 > 0.85).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found() {
        for id in LICENCES.lines() {
            assert_eq!(licence(&id.to_uppercase()), Some(id));
        }
        for id in EXCEPTIONS.lines() {
            assert_eq!(exception(&id.to_lowercase()), Some(id));
        }
        for id in ["", "0", "A", "MI", "MITT", "zzz", "Ä"] {
            assert_eq!(licence(id), None, "{id}");
        }
    }
}
