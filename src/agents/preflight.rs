//! What will stop a pull request, or what it will be without, told before any money is spent.
//!
//! Facts about tokens are docs.github.com's: "Triggering a workflow from a workflow" (what GITHUB_TOKEN does starts none), "Managing GitHub Actions settings for
//! a repository" (who may open pull requests).

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    None,
    /// The workflow's own.
    Workflow,
    App,
    /// A person's, as far as anybody knows.
    Person,
}

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) token: Token,
    pub(crate) is_archived: bool,
    /// Whether it may push; none where GitHub does not say.
    pub(crate) may_push: Option<bool>,
    /// Whether workflows may open pull requests; none where that may not be asked.
    pub(crate) may_open: Option<bool>,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is as it is.
    Note,
    /// Something will be missing.
    Warning,
    /// Nothing can be published.
    Stop,
}

/// Something that somebody should know before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) weight: Weight,
    pub(crate) message: &'static str,
    pub(crate) hint: &'static str,
}

const NO_TOKEN: Notice = Notice {
    weight: Weight::Stop,
    message: "there is no token for GitHub: nothing can be published",
    hint: "set GITHUB_TOKEN with `permissions: { contents: write, pull-requests: write }`, or MAESTRO_APP_ID and MAESTRO_APP_PRIVATE_KEY",
};

const ARCHIVED: Notice = Notice {
    weight: Weight::Stop,
    message: "the repository is archived and takes no changes",
    hint: "an owner may unarchive it under Settings → General",
};

const NO_PUSH: Notice = Notice {
    weight: Weight::Stop,
    message: "the token may not push to the repository",
    hint: "give it `contents: write` and `pull-requests: write`",
};

const PERHAPS_NO_PUSH: Notice = Notice {
    weight: Weight::Warning,
    message: "GitHub says that the token may not push to the repository",
    hint: "the publishing job needs `permissions: { contents: write, pull-requests: write }`",
};

const MAY_NOT_OPEN: Notice = Notice {
    weight: Weight::Warning,
    message: "workflows may not open pull requests here: there will be a branch, and a link to open it",
    hint: "an owner allows it under Settings → Actions → General → Workflow permissions → “Allow GitHub Actions to create and approve pull requests”, in the \
           repository and in its organisation; or use an app's token (MAESTRO_APP_ID, MAESTRO_APP_PRIVATE_KEY)",
};

const STARTS_NOTHING: Notice = Notice {
    weight: Weight::Note,
    message: "a pull request that is opened with GITHUB_TOKEN starts no workflows: its checks stay empty",
    hint: "use an app's token (MAESTRO_APP_ID, MAESTRO_APP_PRIVATE_KEY), or let a person close and open the pull request again",
};

/// Says what will be.
pub(crate) fn judge(facts: Facts) -> Vec<Notice> {
    if facts.token == Token::None {
        return vec![NO_TOKEN];
    }
    let mut notices = Vec::new();
    if facts.is_archived {
        notices.push(ARCHIVED);
    }
    match (facts.may_push, facts.token) {
        // Of tokens that are nobody's account GitHub does not always say what they may.
        (Some(false), Token::Person) => notices.push(NO_PUSH),
        (Some(false), _) => notices.push(PERHAPS_NO_PUSH),
        _ => {}
    }
    if facts.token == Token::Workflow {
        if facts.may_open == Some(false) {
            notices.push(MAY_NOT_OPEN);
        }
        notices.push(STARTS_NOTHING);
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(token: Token, change: impl Fn(&mut Facts), wanted: &[Notice]) {
        let mut facts = Facts {
            token,
            is_archived: false,
            may_push: Some(true),
            may_open: None,
        };
        change(&mut facts);
        assert_eq!(judge(facts), wanted);
    }

    #[test]
    fn each_token_has_its_own_trouble() {
        check(Token::None, |_| {}, &[NO_TOKEN]);
        check(Token::App, |_| {}, &[]);
        check(Token::Person, |_| {}, &[]);
        check(Token::Workflow, |_| {}, &[STARTS_NOTHING]);
        let closed = |facts: &mut Facts| facts.may_open = Some(false);
        check(Token::Workflow, closed, &[MAY_NOT_OPEN, STARTS_NOTHING]);
        check(Token::App, closed, &[]);
        let weak = |facts: &mut Facts| facts.may_push = Some(false);
        check(Token::Person, weak, &[NO_PUSH]);
        check(Token::Workflow, weak, &[PERHAPS_NO_PUSH, STARTS_NOTHING]);
        check(Token::App, |facts| facts.is_archived = true, &[ARCHIVED]);
    }
}
