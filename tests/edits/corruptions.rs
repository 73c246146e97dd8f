//! What models get wrong, one at a time: twelve ways to spoil a patch that was right.

use super::super::Sign;
use super::cases::{Case, Form, Outcome, PATH, answer, block};
use super::golds::Gold;
use super::{Piece, pieces};

/// The ways, and what they do.
pub(super) const CORRUPTIONS: [&str; 12] = [
    "stale line numbers",
    "white space",
    "trailing comma",
    "tabs for spaces",
    "CRLF",
    "typographic quotes",
    "dropped context line",
    "duplicated anchor",
    "identical search and replace",
    "missing newline",
    "wrong case of path",
    "fenced junk",
];

/// Numbers that are the same every time (Knuth's MMIX generator).
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn of(id: &str) -> Self {
        Self(id.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// The patch of a gold solution: three lines of context in a diff, and in a block as many as make its search the only one.
pub(super) fn patch(gold: &Gold, form: Form) -> Vec<Piece> {
    let is_once = |piece: &Piece| {
        let old = piece.text(Sign::Add);
        let wanted: Vec<&str> = old.lines().collect();
        let lines: Vec<&str> = gold.before.lines().collect();
        lines
            .windows(wanted.len())
            .filter(|window| *window == wanted)
            .count()
            == 1
    };
    let all = |context: usize| pieces(&gold.before, &gold.after, context);
    match form {
        Form::Diff => all(3),
        Form::Blocks => (3..200)
            .map(all)
            .find(|pieces| pieces.iter().all(is_once))
            .unwrap(),
    }
}

/// The patch as it should be.
pub(super) fn sound(gold: &Gold, form: Form) -> Case {
    Case {
        id: gold.name.clone(),
        corruption: "none",
        form,
        before: gold.before.clone(),
        answer: answer(form, PATH, &patch(gold, form)),
        right: gold.after.clone(),
        any_end: false,
        may_refuse: false,
    }
}

/// The patch with one thing wrong; nothing when it has nothing to spoil in that way.
pub(super) fn corrupted(
    gold: &Gold,
    form: Form,
    corruption: &'static str,
    seed: u64,
) -> Option<Case> {
    let mut numbers = Numbers::of(&format!("{seed} {} {corruption}", gold.name));
    let mut case = Case {
        corruption,
        ..sound(gold, form)
    };
    let mut pieces = patch(gold, form);
    match corruption {
        "stale line numbers" if form == Form::Blocks => {
            return Some(with_numbers(case, &pieces, &mut numbers));
        }
        "stale line numbers" => {
            let shift = 1 + numbers.below(40);
            for piece in &mut pieces {
                piece.old += shift;
                piece.new += shift;
            }
        }
        "white space" => white_space(&mut pieces, &mut numbers),
        "trailing comma" => comma(&mut pieces, &mut numbers)?,
        "tabs for spaces" => each_line(&mut pieces, |line| {
            let tabs = (line.len() - line.trim_start_matches(' ').len()) / 4;
            "\t".repeat(tabs) + &line[4 * tabs..]
        }),
        "CRLF" if numbers.below(2) == 0 => {
            case.before = case.before.replace('\n', "\r\n");
            case.right = case.right.replace('\n', "\r\n");
            return Some(case);
        }
        "CRLF" => {
            case.answer = case.answer.replace('\n', "\r\n");
            return Some(case);
        }
        "typographic quotes" => each_line(&mut pieces, curly),
        "dropped context line" => case.may_refuse = drop_context(&mut pieces, &mut numbers)?,
        "duplicated anchor" => return duplicated(case, &pieces),
        "identical search and replace" => {
            let nth = numbers.below(pieces.len());
            let old = pieces[nth]
                .lines
                .iter()
                .filter(|(sign, _)| *sign != Sign::Add);
            pieces[nth].lines = old.map(|(_, line)| (Sign::Keep, line.clone())).collect();
            case.may_refuse = true;
            case.right = "\u{0}".into();
        }
        "missing newline" => {
            case.before
                .truncate(case.before.trim_end_matches('\n').len());
            case.any_end = true;
            return Some(case);
        }
        "wrong case of path" => {
            case.answer = answer(
                form,
                ["src/Lib.rs", "SRC/lib.rs"][numbers.below(2)],
                &pieces,
            );
            return Some(case);
        }
        _ => return Some(fenced(case, &pieces)),
    }
    let answer = answer(form, PATH, &pieces);
    if answer == case.answer {
        return None;
    }
    case.answer = answer;
    Some(case)
}

fn each_line(pieces: &mut [Piece], change: impl Fn(&str) -> String) {
    let lines = pieces.iter_mut().flat_map(|piece| &mut piece.lines);
    lines.for_each(|(_, line)| *line = change(line));
}

/// Takes the indentation off that all lines of a hunk have, gives all lines more of it, or puts blanks at their ends.
fn white_space(pieces: &mut [Piece], numbers: &mut Numbers) {
    let has_indent = pieces.iter().all(|piece| {
        piece
            .lines
            .iter()
            .all(|(_, line)| line.is_empty() || line.starts_with(' '))
    });
    match numbers.below(3) {
        0 if has_indent => dedent(pieces),
        1 => each_line(pieces, |line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("  {line}")
            }
        }),
        _ => each_line(pieces, |line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{line}  ")
            }
        }),
    }
}

fn dedent(pieces: &mut [Piece]) {
    for piece in pieces {
        let told = piece
            .lines
            .iter()
            .filter(|(_, line)| !line.trim().is_empty());
        let least = told
            .map(|(_, line)| line.len() - line.trim_start().len())
            .min()
            .unwrap_or(0);
        piece
            .lines
            .iter_mut()
            .for_each(|(_, line)| *line = line.get(least..).unwrap_or_default().to_owned());
    }
}

/// Drops a comma at the end of a line that is there, or adds one.
fn comma(pieces: &mut [Piece], numbers: &mut Numbers) -> Option<()> {
    let lines = pieces.iter_mut().flat_map(|piece| &mut piece.lines);
    let old: Vec<&mut (Sign, String)> = lines
        .filter(|(sign, line)| *sign != Sign::Add && line.trim().len() > 2)
        .collect();
    let (with, without): (Vec<_>, Vec<_>) =
        old.into_iter().partition(|(_, line)| line.ends_with(','));
    let drops = !with.is_empty() && numbers.below(2) == 0;
    let mut some = if drops { with } else { without };
    let nth = numbers.below(some.len());
    let (_, line) = &mut **some.get_mut(nth)?;
    match line.strip_suffix(',') {
        Some(bare) => *line = bare.to_owned(),
        None => line.push(','),
    }
    Some(())
}

/// Drops a line that stays, and says whether new lines stand beside the gap, so that nobody can tell on which side of the missing line they belong.
/// Not the first or last line of a hunk beyond which a new one stands: what is left would be a sound patch that says something else.
fn drop_context(pieces: &mut [Piece], numbers: &mut Numbers) -> Option<bool> {
    let nth = numbers.below(pieces.len());
    let lines = &mut pieces[nth].lines;
    let sign = |at: usize| lines.get(at).map(|(sign, _)| *sign);
    let is_beyond = |beyond: &[(Sign, String)]| {
        !beyond.is_empty() && beyond.iter().all(|(sign, _)| *sign == Sign::Add)
    };
    let kept = (0..lines.len()).filter(|at| sign(*at) == Some(Sign::Keep));
    let kept: Vec<usize> = kept
        .filter(|at| !is_beyond(&lines[..*at]) && !is_beyond(&lines[at + 1..]))
        .collect();
    let at = *kept.get(numbers.below(kept.len()))?;
    let is_beside = sign(at + 1) == Some(Sign::Add) || at > 0 && sign(at - 1) == Some(Sign::Add);
    lines.remove(at);
    Some(is_beside)
}

fn curly(line: &str) -> String {
    let mut before = ' ';
    let mut curly = String::with_capacity(line.len());
    for c in line.chars() {
        let opens = before.is_whitespace() || "([{=,&".contains(before);
        curly.push(match (c, opens) {
            ('"', true) => '\u{201c}',
            ('"', false) => '\u{201d}',
            ('\'', true) => '\u{2018}',
            ('\'', false) => '\u{2019}',
            _ => c,
        });
        before = c;
    }
    curly
}

/// The lines that are changed first stand at the end of the file once more.
fn duplicated(mut case: Case, pieces: &[Piece]) -> Option<Case> {
    let old = pieces.first()?.text(Sign::Add);
    case.before = format!("{}\n{old}", case.before);
    case.right = format!("{}\n{old}", case.right);
    case.may_refuse = true;
    Some(case)
}

/// Numbers before the lines of blocks, as files are often shown to models.
fn with_numbers(mut case: Case, pieces: &[Piece], numbers: &mut Numbers) -> Case {
    let shift = 1 + numbers.below(40);
    let style = [" | ", ": ", "\t"][numbers.below(3)];
    let numbered = |text: String, from: usize| -> String {
        let lines = text.lines().enumerate();
        let lines = lines.map(|(nth, line)| format!("{:>4}{style}{line}\n", from + shift + nth));
        lines.collect::<Vec<_>>().concat()
    };
    let blocks = pieces.iter().map(|piece| {
        block(
            PATH,
            &numbered(piece.text(Sign::Add), piece.old),
            &numbered(piece.text(Sign::Remove), piece.new),
        )
    });
    case.answer = blocks.collect();
    case
}

/// Prose around, and fences where none belong.
fn fenced(mut case: Case, pieces: &[Piece]) -> Case {
    case.answer = if case.form == Form::Diff {
        format!(
            "Here is the change to make:\n\n```diff\n{}```\n\nIt does what was asked for.\n",
            case.answer
        )
    } else {
        let inner = |text: String| format!("```rust\n{text}```\n");
        let blocks = pieces.iter().map(|piece| {
            block(
                PATH,
                &inner(piece.text(Sign::Add)),
                &inner(piece.text(Sign::Remove)),
            )
        });
        format!(
            "I will change the file.\n\n{}\nThat is all.\n",
            blocks.collect::<String>()
        )
    };
    case
}

/// Two texts like a program's: names that stand once, and lines that stand everywhere.
fn programs(lines: &[(u8, u8)]) -> (String, String) {
    let mut texts = (String::new(), String::new());
    for (nth, (kind, change)) in lines.iter().enumerate() {
        let line = match kind {
            0 => String::new(),
            1 => "}".to_owned(),
            2 => "    }".to_owned(),
            3 => "    done();".to_owned(),
            4 => format!("fn name_{nth}() {{"),
            _ => format!("    call(name_{nth});"),
        };
        let other = format!("    new_{kind}();");
        texts.0 += &format!("{line}\n");
        texts.1 += &match change {
            0 => String::new(),
            1 => format!("{line}\n{other}\n"),
            2 => format!("{other}\n"),
            3 => format!("{other}\n{line}\n"),
            _ => format!("{line}\n"),
        };
    }
    texts
}

/// A program that is spoilt in one line; nothing when it has none to spoil, or when what is left is in the file as it stands, so that nobody could
/// see a mistake.
fn misled(seed: usize) -> Option<(String, String, Vec<Piece>)> {
    let mut numbers = Numbers::of(&format!("program {seed}"));
    let length = 2 + numbers.below(38);
    let mut kind = |limit| u8::try_from(numbers.below(limit)).unwrap();
    let lines: Vec<(u8, u8)> = (0..length).map(|_| (kind(8), kind(24))).collect();
    let (before, after) = programs(&lines);
    let mut pieces = pieces(&before, &after, 1 + numbers.below(4));
    if pieces.is_empty() {
        return None;
    }
    if numbers.below(2) == 0 {
        drop_context(&mut pieces, &mut numbers)?;
    } else {
        change_context(&mut pieces, &mut numbers)?;
    }
    let lines: Vec<&str> = before.lines().collect();
    let is_exact = |piece: &Piece| {
        let old = piece.text(Sign::Add);
        let mut windows = lines.windows(old.lines().count().max(1));
        windows.any(|window| window.iter().copied().eq(old.lines()))
    };
    let is_seen = !pieces.iter().all(is_exact);
    is_seen.then_some((before, after, pieces))
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "more cases are asked for by a variable"
)]
fn a_line_that_is_dropped_or_changed_never_misleads() {
    let thousands = std::env::var("MAESTRO_EDIT_SEEDS").map_or(2, |seeds| seeds.parse().unwrap());
    let mut outcomes = [0; 3];
    for seed in 0..thousands * 1000 {
        let Some((before, after, pieces)) = misled(seed) else {
            continue;
        };
        for form in [Form::Diff, Form::Blocks] {
            let case = Case {
                id: String::new(),
                corruption: "",
                form,
                before: before.clone(),
                answer: answer(form, PATH, &pieces),
                right: after.clone(),
                any_end: false,
                may_refuse: false,
            };
            let (outcome, found) = case.judge();
            assert!(
                outcome != Outcome::Wrong,
                "{seed}\n{}\n---\n{found}\n---\n{after}",
                case.answer
            );
            outcomes[outcome as usize] += 1;
        }
    }
    assert!(outcomes[0] > outcomes[1] / 4, "{outcomes:?}");
}

/// Changes a line that stays.
fn change_context(pieces: &mut [Piece], numbers: &mut Numbers) -> Option<()> {
    let nth = numbers.below(pieces.len());
    let kept: Vec<&mut (Sign, String)> = pieces[nth]
        .lines
        .iter_mut()
        .filter(|(sign, line)| *sign == Sign::Keep && !line.is_empty())
        .collect();
    let at = numbers.below(kept.len());
    let (_, line) = kept.into_iter().nth(at)?;
    line.push_str(" // x");
    Some(())
}
