use clap::CommandFactory;

use super::*;

const SHA: &str = "0123456789012345678901234567890123456789";

fn parse(line: &str) -> Result<Command, clap::Error> {
    let words = std::iter::once("cfgupdater").chain(line.split_whitespace());
    Cli::try_parse_from(words).map(|cli| cli.command)
}

fn is_usage_error(line: &str) -> bool {
    parse(line).is_err_and(|error| error.exit_code() == 2)
}

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn an_announcement_has_an_app_sha_and_images() {
    let line =
        format!("announce --repo cfg-app --app-sha {SHA} --sequence 7 --wait --until wave=production -");
    let Command::Announce(args) = parse(&line).unwrap() else { panic!("another command") };
    assert_eq!((args.sequence, args.images.to_str()), (Some(7), Some("-")));
    assert_eq!(args.wait.until, Until::Wave("production".parse().unwrap()));
    assert!(is_usage_error("announce --repo cfg-app images.json"), "no app SHA");
    assert!(is_usage_error(&format!("announce --repo cfg-app --app-sha {} -", &SHA[..10])), "a short one");
    assert!(is_usage_error(&format!("announce --repo cfg-app --app-sha {SHA} --dry-run --wait -")));
}

#[test]
fn a_report_names_a_revision_or_a_release() {
    let line = "deployed --repo cfg-app --wave staging --target staging-1 --status succeeded";
    assert!(is_usage_error(line), "neither");
    let release = SHA.repeat(2)[..64].to_owned();
    assert!(is_usage_error(&format!("{line} --revision {SHA} --release {release}")), "both");
    for one in [format!("--revision {SHA}"), format!("--release {release}")] {
        assert!(matches!(parse(&format!("{line} {one}")), Ok(Command::Deployed(_))), "{one}");
    }
    assert!(is_usage_error(&format!("{line} --revision {SHA} --status perhaps")));
}

#[test]
fn what_is_waited_for_may_be_named() {
    let id = "0".repeat(32);
    let Command::Status(args) =
        parse(&format!("status --repo r --wait --intent {id} --timeout 90s")).unwrap()
    else {
        panic!("another command")
    };
    assert_eq!((args.wait.until, args.wait.timeout), (Until::Landed, Duration::from_secs(90)));
    assert!(parse("status --repo r").is_ok());
    assert!(parse("status --repo r --wait --until landed --timeout 5m").is_ok(), "the newest announcement");
    assert!(parse("status --repo r --wait --until wave=staging --set app").is_ok());
    assert!(is_usage_error("status --repo r --set app"), "a set, but no wait");
    assert!(is_usage_error(&format!("status --repo r --intent {id}")), "an intent, but no wait");
    assert!(is_usage_error(&format!("status --repo r --wait --intent {id} --until soon")));
    assert!(is_usage_error(&format!("status --repo r --wait --intent {id} --timeout 5")));
}

#[test]
fn operators_say_why() {
    assert!(is_usage_error("hold --repo r --wave production"));
    assert!(parse("hold --repo r --wave production --reason audit").is_ok());
    assert!(parse("release --repo r --wave production --reason done").is_ok());
    let line = format!("approve --repo r --wave production --reason fine --release {}", "a".repeat(64));
    assert!(matches!(parse(&line), Ok(Command::Approve(args)) if args.release.is_some()));
}

#[test]
fn the_file_to_check_may_be_spelt_both_ways() {
    for line in ["check-config cfg.toml", "check-config --config cfg.toml"] {
        let Ok(Command::CheckConfig(args)) = parse(line) else { panic!("{line}") };
        assert_eq!(args.path(), PathBuf::from("cfg.toml"));
    }
    assert!(is_usage_error("check-config"));
    assert!(is_usage_error("check-config a --config b"));
}

#[test]
fn a_token_is_not_taken_from_the_command_line() {
    assert!(is_usage_error("status --repo r --token abc"));
}
