use cfgupdater_core::{SetPolicy, TargetPolicy, WavePolicy};

use super::*;

fn policy() -> Policy {
    let wave = |name: &str, targets: &[&str]| {
        let targets = targets.iter().map(|target| TargetPolicy::new(target.parse().unwrap()));
        WavePolicy::new(name.parse().unwrap(), targets.collect())
    };
    let mut waves = vec![wave("staging", &["eu-1", "us-1"]), wave("production", &["eu-2"])];
    waves[1].targets[0].sets = vec!["app".parse().unwrap()];
    let sets = ["app", "web"].map(|set| SetPolicy::new(set.parse().unwrap()));
    Policy::new("master".parse().unwrap(), sets.to_vec(), waves)
}

fn rule(name: &str) -> Rule {
    Rule {
        kind: SenderKind::Application,
        name: name.to_owned(),
        namespace: None,
        metadata: BTreeMap::new(),
        wave: None,
        target: None,
        set: None,
        several: false,
    }
}

fn several(name: &str) -> Rule {
    Rule { several: true, ..rule(name) }
}

fn sender(name: &str) -> Sender {
    Sender {
        kind: SenderKind::Application,
        namespace: "argocd".to_owned(),
        name: name.to_owned(),
        metadata: BTreeMap::new(),
    }
}

fn found(mapping: &Mapping, sender: &Sender) -> Option<String> {
    mapping.find(sender).map(ToString::to_string)
}

fn mistake(rules: &[Rule]) -> String {
    let mistakes = Mapping::new(rules, &policy()).unwrap_err();
    mistakes.into_iter().map(|(number, text)| format!("{number}: {text}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn captures_tell_wave_target_and_set() {
    let mapping = Mapping::new(&[rule("{set}-{wave}-{target}")], &policy()).unwrap();
    assert_eq!(found(&mapping, &sender("web-staging-us-1")).unwrap(), "staging/us-1 (set web)");
    assert_eq!(found(&mapping, &sender("app-production-eu-2")).unwrap(), "production/eu-2 (set app)");
    for unmapped in
        ["web-production-eu-2", "app-production-eu-1", "app-staging-eu", "x-app-staging-eu-1", "*"]
    {
        assert_eq!(found(&mapping, &sender(unmapped)), None, "{unmapped}");
    }
}

#[test]
fn targets_whose_names_differ_need_no_wave() {
    let mapping = Mapping::new(&[several("cfg-{target}-*")], &policy()).unwrap();
    assert_eq!(found(&mapping, &sender("cfg-eu-2-anything")).unwrap(), "production/eu-2");
}

#[test]
fn namespace_kind_and_metadata_must_fit() {
    let mut rule = several("apps");
    rule.kind = SenderKind::Kustomization;
    rule.namespace = Some("flux-*".to_owned());
    rule.metadata.insert("cluster".to_owned(), "{target}".to_owned());
    let mapping = Mapping::new(&[rule], &policy()).unwrap();
    let mut event = Sender {
        kind: SenderKind::Kustomization,
        namespace: "flux-system".to_owned(),
        metadata: BTreeMap::from([("cluster".to_owned(), "us-1".to_owned())]),
        ..sender("apps")
    };
    assert_eq!(found(&mapping, &event).unwrap(), "staging/us-1");
    event.namespace = "default".to_owned();
    assert_eq!(found(&mapping, &event), None);
    event.namespace = "flux-system".to_owned();
    event.metadata.clear();
    assert_eq!(found(&mapping, &event), None);
    event.metadata.insert("cluster".to_owned(), "us-1".to_owned());
    event.kind = SenderKind::HelmRelease;
    assert_eq!(found(&mapping, &event), None);
}

#[test]
fn what_can_not_name_one_target_is_a_mistake() {
    assert!(mistake(&[rule("app-{wave}")]).contains("can be staging/eu-1 as well as staging/us-1"));
    let fixed = Rule { target: Some("eu-2".parse().unwrap()), ..rule("app") };
    assert!(Mapping::new(std::slice::from_ref(&fixed), &policy()).is_ok());
    assert!(mistake(&[fixed, several("a*-{target}"), rule("app")]).contains("overlaps with `app`"));
    // One capture may swallow what belongs to the other.
    let mut policy = policy();
    policy.waves[0].name = "a".parse().unwrap();
    policy.waves[0].targets[0].name = "b-c".parse().unwrap();
    policy.waves[1].name = "a-b".parse().unwrap();
    policy.waves[1].targets[0].name = "c".parse().unwrap();
    assert!(Mapping::new(&[rule("{wave}-{target}")], &policy).is_err());
    assert!(Mapping::new(&[rule("{wave}.{target}")], &policy).is_ok());
}

#[test]
fn unknown_names_and_captures_are_mistakes() {
    let wave = Rule { wave: Some("nowhere".parse().unwrap()), ..rule("{target}") };
    assert!(mistake(&[wave]).contains("wave `nowhere` is not configured"));
    let set = Rule { set: Some("db".parse().unwrap()), ..rule("{target}") };
    assert!(mistake(&[set]).contains("image set `db` is not configured"));
    let target = Rule { target: Some("mars".parse().unwrap()), ..rule("app") };
    assert!(mistake(&[target]).contains("target `mars`"));
    let elsewhere =
        Rule { wave: Some("staging".parse().unwrap()), target: Some("eu-2".parse().unwrap()), ..rule("app") };
    assert!(mistake(&[elsewhere]).contains("this rule is for nothing"));
    for text in ["{cluster}", "{wave", "a}", "{}"] {
        assert!(mistake(&[rule(text)]).contains("brace"), "{text}");
    }
    assert!(mistake(&[rule("a b-{target}")]).contains("is not a pattern"));
}

#[test]
fn only_what_has_a_name_of_its_own_can_be_asked_about() {
    let askable =
        |rule: Rule, with_namespace| Mapping::new(&[rule], &policy()).unwrap().askable(with_namespace);
    assert_eq!(askable(rule("a-{target}"), false), Ok(()));
    assert!(askable(rule("a-{target}"), true).unwrap_err().contains("needs a namespace"));
    assert!(askable(several("{target}-*"), false).unwrap_err().contains("contradict each other"));
    let namespace = |text: &str| Rule { namespace: Some(text.to_owned()), ..rule("a-{target}") };
    assert_eq!(askable(namespace("argocd"), true), Ok(()));
    // Clusters that are told apart by what they say can't be told apart by one API.
    let metadata = BTreeMap::from([("cluster".to_owned(), "{target}".to_owned())]);
    let same = Rule { metadata, ..rule("apps") };
    assert!(askable(same, false).unwrap_err().contains("as well as for"));
}

#[test]
fn a_set_of_a_target_has_one_sender() {
    let of_set = |name: &str, set: &str| Rule { set: Some(set.parse().unwrap()), ..rule(name) };
    let both = mistake(&[rule("a-{target}"), rule("b-{target}")]);
    assert!(both.starts_with("1: application `b-eu-1` speaks for staging/eu-1, and so does"), "{both}");
    assert!(mistake(&[rule("a-{target}"), of_set("b-{target}", "web")]).contains("(set web)"));
    assert!(Mapping::new(&[of_set("a-{target}", "app"), of_set("b-{target}", "web")], &policy()).is_ok());
    assert!(Mapping::new(&[several("a-{target}"), several("b-{target}")], &policy()).is_ok());
    assert!(mistake(&[several("a-{target}"), rule("b-{target}")]).contains("hide the failure"));
    for pattern in ["{target}-*", "{target}-?"] {
        assert!(mistake(&[rule(pattern)]).contains("several = true"), "{pattern}");
    }
    let namespace = Rule { namespace: Some("argo*".to_owned()), ..rule("a-{target}") };
    assert!(mistake(&[namespace]).contains("`argo*` may be several senders"));
}

#[test]
fn two_tools_do_not_speak_for_one_target() {
    let mapping = |rules: &[Rule]| Mapping::new(rules, &policy()).unwrap();
    let staging = |name: &str| Rule { wave: Some("staging".parse().unwrap()), ..rule(name) };
    let production = |name: &str| Rule { wave: Some("production".parse().unwrap()), ..rule(name) };
    assert_eq!(rivals(&[mapping(&[staging("a-{target}")]), mapping(&[production("b-{target}")])]), []);
    let found = rivals(&[
        mapping(&[production("a-{target}")]),
        mapping(&[staging("b-{target}")]),
        mapping(&[rule("c-{target}")]),
    ]);
    let [(2, said)] = found.as_slice() else { panic!("{found:?}") };
    assert!(said.contains("of an earlier deploy tool"), "{said}");
}
