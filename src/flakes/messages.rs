//! Messages of failures: those of one run that differ only in numbers, addresses and ids are kept once.

use crate::order;
use std::collections::BTreeMap;

/// Stands for what differs.
const BLANK: char = '…';

/// Returns a message with everything blanked that usually differs from one failure to the next: numbers, and words of
/// letters and digits that look like addresses or ids.
pub(super) fn template(message: &str) -> String {
    let mut template = String::with_capacity(message.len());
    let mut word = String::new();
    for letter in message.chars() {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
            continue;
        }
        end(&mut word, &mut template);
        template.push(letter);
    }
    end(&mut word, &mut template);
    template
}

fn end(word: &mut String, template: &mut String) {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let is_id = has_digit && word.len() >= 8;
    if is_id || word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
        template.push(BLANK);
    } else if has_digit {
        // `line42`: the letters say what it is.
        let mut in_number = false;
        for letter in word.chars() {
            if !letter.is_ascii_digit() {
                template.push(letter);
            } else if !in_number {
                template.push(BLANK);
            }
            in_number = letter.is_ascii_digit();
        }
    } else {
        template.push_str(word);
    }
    word.clear();
}

/// Groups the messages of a run, each with the places of its tests: messages with one template become that template, a message
/// that stands alone is kept as it is.
pub(crate) fn group(messages: BTreeMap<String, Vec<u32>>) -> BTreeMap<String, Vec<u32>> {
    let mut groups: BTreeMap<String, Vec<(String, Vec<u32>)>> = BTreeMap::new();
    for (message, places) in messages {
        groups
            .entry(template(&message))
            .or_default()
            .push((message, places));
    }
    let mut grouped: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (template, members) in groups {
        let text = match members.as_slice() {
            [(only, _)] => only.clone(),
            _ => template,
        };
        let places = members.into_iter().flat_map(|(_, places)| places);
        grouped.entry(text).or_default().extend(places);
    }
    for places in grouped.values_mut() {
        order::sort(places);
        places.dedup();
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(messages: &[&str], grouped: &[(&str, &[u32])]) {
        let messages = (0..)
            .zip(messages)
            .map(|(place, message)| ((*message).to_owned(), vec![place]));
        let wanted: BTreeMap<String, Vec<u32>> = grouped
            .iter()
            .map(|(text, places)| ((*text).to_owned(), places.to_vec()))
            .collect();
        assert_eq!(group(messages.collect()), wanted);
    }

    #[test]
    fn a_message_that_stands_alone_is_kept() {
        check(&["left: 1 right: 2"], &[("left: 1 right: 2", &[0])]);
    }

    #[test]
    fn messages_that_differ_in_numbers_and_ids_become_one() {
        check(
            &[
                "order 17 at 0x7ffd12ab timed out",
                "order 4 at 0x7ffd99ab timed out",
                "no route",
            ],
            &[("no route", &[2]), ("order … at … timed out", &[0, 1])],
        );
        check(
            &["retry3 failed", "retry12 failed"],
            &[("retry… failed", &[0, 1])],
        );
    }

    #[test]
    fn words_without_digits_are_words() {
        check(
            &["deadbeef", "feedface"],
            &[("deadbeef", &[0]), ("feedface", &[1])],
        );
    }
}
