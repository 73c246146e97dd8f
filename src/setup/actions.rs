//! The actions that written workflows use, each by the commit of a released version: the only place that names them.
//!
//! A tag can be moved by whoever owns the repository, a commit cannot. To take a newer version, change its line here; each commit was found
//! under its version in at least two independent public repositories.

/// An action at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Action {
    name: &'static str,
    commit: &'static str,
    version: &'static str,
}

impl Action {
    /// Returns what stands after `uses:`.
    pub(crate) fn uses(self) -> String {
        format!("{}@{} # {}", self.name, self.commit, self.version)
    }
}

macro_rules! actions {
    ($($constant:ident = $name:literal, $commit:literal, $version:literal;)+) => {
        $(pub(crate) const $constant: Action = Action { name: $name, commit: $commit, version: $version };)+

        /// All of them.
        #[cfg(test)]
        pub(crate) const ALL: &[Action] = &[$($constant),+];
    };
}

actions! {
    CHECKOUT = "actions/checkout", "08c6903cd8c0fde910a37f88322edcfb5dd907a8", "v5.0.0";
    UPLOAD_ARTIFACT = "actions/upload-artifact", "ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2";
    SETUP_NODE = "actions/setup-node", "49933ea5288caeca8642d1e84afbd3f7d6820020", "v4.4.0";
    SETUP_PYTHON = "actions/setup-python", "a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0";
    SETUP_GO = "actions/setup-go", "d35c59abb061a4a6fb18e82ac0862c26744d6ab5", "v5.5.0";
    SETUP_PNPM = "pnpm/action-setup", "a7487c7e89a18df4991f7f222e4898a00d66ddda", "v4.1.0";
    SETUP_UV = "astral-sh/setup-uv", "e92bafb6253dcd438e0484186d7669ea7a8ca1cc", "v6.4.3";
    SETUP_BUN = "oven-sh/setup-bun", "735343b667d3e6f658f44d0eca948eb6282f2b76", "v2.0.2";
    INSTALL_TOOL = "taiki-e/install-action", "44c6d64aa62cd779e873306675c7a58e86d6d532", "v2.62.49";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_pinned_to_a_whole_commit_and_says_its_version() {
        for action in ALL {
            let commit = action.commit;
            assert_eq!(commit.len(), 40, "{action:?}");
            assert!(commit.bytes().all(|b| b.is_ascii_hexdigit()), "{action:?}");
            assert!(action.version.starts_with('v') && action.version.matches('.').count() == 2);
            assert_eq!(action.name.matches('/').count(), 1);
        }
    }
}
