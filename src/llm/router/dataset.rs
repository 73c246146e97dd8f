//! Questions that a weak and a strong model have answered, as CSV (RFC 4180): a column `prompt`, and one for each model that says how
//! right its answer was. The files of RouteLLM's evaluations have this form.

use std::borrow::Cow;

/// A question, and how right two models were: from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question<'t> {
    pub(crate) prompt: Cow<'t, str>,
    pub(crate) weak: f64,
    pub(crate) strong: f64,
}

/// Questions, and whom they were put to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dataset<'t> {
    pub(crate) weak: String,
    pub(crate) strong: String,
    pub(crate) questions: Vec<Question<'t>>,
}

/// Why a text is no data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DatasetProblem {
    #[error("line {0}: a quote is opened and never closed")]
    OpenQuote(usize),
    #[error("line {0}: there is text behind a closing quote")]
    AfterQuote(usize),
    #[error("line {line}: {fields} fields, where the first line has {expected}")]
    Fields {
        line: usize,
        fields: usize,
        expected: usize,
    },
    #[error("it has no column `{0}`")]
    NoColumn(String),
    #[error("it has no two columns that say how right a model was")]
    NoOutcomes,
    #[error(
        "line {line}: `{value}` in column `{column}` is neither true or false nor a number from 0 to 1"
    )]
    NoOutcome {
        line: usize,
        column: String,
        value: String,
    },
    #[error("it has no question")]
    Empty,
    #[error("`{strong}` is not right more often than `{weak}`, so that there is nothing to route")]
    NoGap { weak: String, strong: String },
}

/// A record, and the line that it begins on.
struct Record<'t> {
    line: usize,
    fields: Vec<Cow<'t, str>>,
}

/// Reads records, one at a time.
struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<Record<'t>>, DatasetProblem> {
        // Empty lines are no records.
        while let Some(rest) = self
            .rest
            .strip_prefix('\n')
            .or_else(|| self.rest.strip_prefix("\r\n"))
        {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let field = match self.rest.strip_prefix('"') {
                Some(rest) => self.quoted(rest)?,
                None => self.plain(),
            };
            fields.push(field);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            self.rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
            self.line += 1;
            return Ok(Some(Record { line, fields }));
        }
    }

    fn plain(&mut self) -> Cow<'t, str> {
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        Cow::Borrowed(field.strip_suffix('\r').unwrap_or(field))
    }

    fn quoted(&mut self, inside: &'t str) -> Result<Cow<'t, str>, DatasetProblem> {
        let opened = self.line;
        let mut from = 0;
        let mut has_quotes = false;
        let end = loop {
            let Some(at) = inside[from..].find('"') else {
                return Err(DatasetProblem::OpenQuote(opened));
            };
            let at = from + at;
            if !inside[at + 1..].starts_with('"') {
                break at;
            }
            has_quotes = true;
            from = at + 2;
        };
        let (field, rest) = (&inside[..end], &inside[end + 1..]);
        self.line += field.matches('\n').count();
        let is_end = rest.is_empty() || rest.starts_with([',', '\n']) || rest.starts_with("\r\n");
        if !is_end {
            return Err(DatasetProblem::AfterQuote(self.line));
        }
        self.rest = rest;
        Ok(if has_quotes {
            Cow::Owned(field.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(field)
        })
    }
}

/// Returns how right an answer was, in the words of those who judged it.
fn outcome(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("true") {
        return Some(1.0);
    }
    if text.eq_ignore_ascii_case("false") {
        return Some(0.0);
    }
    let number: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&number).then_some(number)
}

impl<'t> Dataset<'t> {
    /// Reads a data set. Models that are not named are the first two columns that say how right somebody was; of two, the weak
    /// one is right less often.
    pub(crate) fn read(
        text: &'t str,
        weak: Option<&str>,
        strong: Option<&str>,
    ) -> Result<Self, DatasetProblem> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader {
            rest: text,
            line: 1,
        };
        let head = reader.next()?.ok_or(DatasetProblem::Empty)?.fields;
        let mut records = Vec::new();
        while let Some(record) = reader.next()? {
            if record.fields.len() != head.len() {
                return Err(DatasetProblem::Fields {
                    line: record.line,
                    fields: record.fields.len(),
                    expected: head.len(),
                });
            }
            records.push(record);
        }
        let named = |name: &str| {
            let found = head.iter().position(|column| column.trim() == name);
            found.ok_or_else(|| DatasetProblem::NoColumn(name.to_owned()))
        };
        let prompt = named("prompt")?;
        let first = records.first().ok_or(DatasetProblem::Empty)?;
        let says = |column: &usize| {
            *column != prompt
                && first
                    .fields
                    .get(*column)
                    .is_some_and(|text| outcome(text).is_some())
        };
        let mut free = (0..head.len()).filter(says);
        let (one, two) = match (weak, strong) {
            (Some(weak), Some(strong)) => (named(weak)?, named(strong)?),
            (Some(weak), None) => {
                let weak = named(weak)?;
                let other = free.find(|column| *column != weak);
                (weak, other.ok_or(DatasetProblem::NoOutcomes)?)
            }
            (None, Some(strong)) => {
                let strong = named(strong)?;
                let other = free.find(|column| *column != strong);
                (other.ok_or(DatasetProblem::NoOutcomes)?, strong)
            }
            (None, None) => match (free.next(), free.next()) {
                (Some(one), Some(two)) => (one, two),
                _ => return Err(DatasetProblem::NoOutcomes),
            },
        };
        let mut questions = questions(records, (prompt, one, two), &head)?;
        let sum = |of: fn(&Question<'_>) -> f64| questions.iter().map(of).sum::<f64>();
        let gap = sum(|one| one.strong) - sum(|one| one.weak);
        let is_swapped = gap < 0.0 && weak.is_none() && strong.is_none();
        if is_swapped {
            for question in &mut questions {
                std::mem::swap(&mut question.weak, &mut question.strong);
            }
        }
        let (one, two) = if is_swapped { (two, one) } else { (one, two) };
        let name = |column: usize| {
            head.get(column)
                .map_or(String::new(), |name| name.trim().to_owned())
        };
        let (weak, strong) = (name(one), name(two));
        if gap == 0.0 || (gap < 0.0 && !is_swapped) {
            return Err(DatasetProblem::NoGap { weak, strong });
        }
        Ok(Self {
            weak,
            strong,
            questions,
        })
    }
}

fn questions<'t>(
    records: Vec<Record<'t>>,
    (prompt, weak, strong): (usize, usize, usize),
    head: &[Cow<'t, str>],
) -> Result<Vec<Question<'t>>, DatasetProblem> {
    let read = |mut record: Record<'t>| {
        let value = |column: usize| {
            let text = record.fields.get(column).map_or("", |text| text.trim());
            outcome(text).ok_or_else(|| DatasetProblem::NoOutcome {
                line: record.line,
                column: head
                    .get(column)
                    .map_or(String::new(), |name| name.trim().to_owned()),
                value: text.chars().take(40).collect(),
            })
        };
        let (weak, strong) = (value(weak)?, value(strong)?);
        Ok(Question {
            prompt: record.fields.swap_remove(prompt),
            weak,
            strong,
        })
    };
    records.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dataset<'_>, DatasetProblem> {
        Dataset::read(text, None, None)
    }

    #[test]
    fn fields_may_hold_quotes_commas_and_lines() {
        let set = read("prompt,a,b,a_response\r\n\"say \"\"x\"\", then\ny\",False,True,\"no\"\r\nplain,1,0.5,\r\nlast,0,1,x").unwrap();
        let prompts: Vec<&str> = set.questions.iter().map(|one| &*one.prompt).collect();
        assert_eq!(prompts, ["say \"x\", then\ny", "plain", "last"]);
        assert_eq!((set.weak.as_str(), set.strong.as_str()), ("a", "b"));
        assert_eq!((set.questions[1].weak, set.questions[1].strong), (1.0, 0.5));
    }

    #[test]
    fn the_weak_model_is_the_one_that_is_right_less_often() {
        let text = "prompt,good,bad\nx,True,False\ny,True,True\n";
        let set = read(text).unwrap();
        assert_eq!((set.weak.as_str(), set.strong.as_str()), ("bad", "good"));
        assert!(set.questions[0].strong > 0.9);
        let named = Dataset::read(text, Some("good"), Some("bad"));
        assert!(matches!(named, Err(DatasetProblem::NoGap { .. })));
        let one = Dataset::read(text, None, Some("good")).unwrap();
        assert_eq!(one.weak, "bad");
    }

    #[test]
    fn what_is_no_data_set_says_where() {
        let problem = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(problem(""), "it has no question");
        assert_eq!(problem("prompt,a,b\n"), "it has no question");
        assert_eq!(problem("q,a,b\nx,1,0\n"), "it has no column `prompt`");
        assert_eq!(
            problem("prompt,a\nx,1\n"),
            "it has no two columns that say how right a model was"
        );
        assert_eq!(
            problem("prompt,a,b\nx,1\n"),
            "line 2: 2 fields, where the first line has 3"
        );
        assert_eq!(
            problem("prompt,a,b\n\n\"x\n,1,0\n"),
            "line 3: a quote is opened and never closed"
        );
        assert_eq!(
            problem("prompt,a,b\n\"x\"y,1,0\n"),
            "line 2: there is text behind a closing quote"
        );
        assert_eq!(
            problem("prompt,a,b\n\"x\ny\",1,0\nz,NaN,1\n"),
            "line 4: `NaN` in column `a` is neither true or false nor a number from 0 to 1"
        );
        assert!(problem("prompt,a,b\nx,1,1\n").contains("nothing to route"));
    }
}
