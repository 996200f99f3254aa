//! [`Guard`]: what guards a branch, and whether it holds for us.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::required::Rule;

/// The rule that commits must be signed, in rulesets and in branch protection.
const SIGNATURES: &str = "required_signatures";

/// Whether the account may pass over a ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bypass {
    Always,
    Never,
    Unknown,
}

impl Bypass {
    /// Reads what GitHub says of whoever asks.
    pub(super) fn of(ruleset: &Value) -> Self {
        match ruleset["current_user_can_bypass"].as_str() {
            Some("always" | "exempt") => Self::Always,
            Some(_) => Self::Never,
            None => Self::Unknown,
        }
    }
}

/// Branch protection of the old kind, which has no rulesets.
#[derive(Debug, Default)]
pub(super) enum Protection {
    /// There is none.
    #[default]
    None,
    /// We may not look.
    Hidden,
    /// What is set.
    Set(Value),
}

/// What guards a branch.
#[derive(Debug, Default)]
pub(super) struct Guard {
    pub(super) rules: Vec<Rule>,
    /// By the number of the ruleset.
    pub(super) bypass: BTreeMap<u64, Bypass>,
    pub(super) protection: Protection,
    /// Our App, `None` where somebody's token asks.
    pub(super) app: Option<u64>,
}

impl Guard {
    /// Leaves out what asks for signed commits, as ours are.
    pub(super) fn without_signatures(mut self) -> Self {
        self.rules.retain(|rule| rule.kind != SIGNATURES);
        if let Protection::Set(Value::Object(protection)) = &mut self.protection {
            protection.remove(SIGNATURES);
        }
        self
    }

    /// Tells whether there is a rule of this kind.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.bypasses(kind).next().is_some()
    }

    /// Tells whether a rule of this kind holds for us too.
    pub(super) fn holds_us(&self, kind: &str) -> bool {
        self.bypasses(kind).any(|bypass| bypass == Bypass::Never)
    }

    /// Tells whether we may pass over a rule of this kind.
    pub(super) fn lets_us_pass(&self, kind: &str) -> bool {
        self.bypasses(kind).any(|bypass| bypass == Bypass::Always)
    }

    /// Lists the kinds of rules of which nobody can say whether they hold for us.
    pub(super) fn unclear(&self) -> BTreeSet<&str> {
        let unclear = |rule: &&Rule| self.bypass_of(rule) == Bypass::Unknown;
        self.rules.iter().filter(unclear).map(|rule| rule.kind.as_str()).collect()
    }

    /// Lists the kinds of rules that hold for us.
    pub(super) fn holding(&self) -> BTreeSet<&str> {
        let holds = |rule: &&Rule| self.bypass_of(rule) == Bypass::Never;
        self.rules.iter().filter(holds).map(|rule| rule.kind.as_str()).collect()
    }

    /// Returns what branch protection sets at a place; `None` where it is switched off.
    pub(super) fn set(&self, place: &str) -> Option<&Value> {
        let Protection::Set(protection) = &self.protection else { return None };
        let setting = protection.pointer(place)?;
        (setting != &Value::Bool(false) && !setting.is_null()).then_some(setting)
    }

    /// Tells whether branch protection sets something from which our App is not exempt; `list` is where it names the
    /// Apps that are.
    pub(super) fn set_for_us(&self, place: &str, list: &str) -> bool {
        self.set(place).is_some_and(|setting| {
            let apps = setting.pointer(list).and_then(Value::as_array).into_iter().flatten();
            let mut exempt = apps.filter_map(|app| app["id"].as_u64());
            !exempt.any(|id| Some(id) == self.app)
        })
    }

    fn bypasses(&self, kind: &str) -> impl Iterator<Item = Bypass> {
        self.rules.iter().filter(move |rule| rule.kind == kind).map(|rule| self.bypass_of(rule))
    }

    fn bypass_of(&self, rule: &Rule) -> Bypass {
        self.bypass.get(&rule.ruleset_id).copied().unwrap_or(Bypass::Unknown)
    }
}
