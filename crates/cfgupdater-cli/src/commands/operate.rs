//! What operators do: a path, a body, and the reason why.

use cfgupdater_core::WaveName;
use cfgupdater_server::api::{Approval, Because, RollBack, Waiver};
use serde::Serialize;

use crate::args::{ApproveArgs, IntentArgs, OperateArgs, RollbackArgs, WaiveArgs, WaveArgs};
use crate::exit::Failure;
use crate::{output, text};

/// `hold` and `release`
pub(super) async fn wave(action: &str, args: WaveArgs) -> Result<(), Failure> {
    let reason = args.operate.reason.clone();
    send(&path(&args.wave, action), &Because { reason }, args.operate).await
}

pub(super) async fn approve(args: ApproveArgs) -> Result<(), Failure> {
    let WaveArgs { wave, operate } = args.wave;
    let body = Approval { reason: operate.reason.clone(), release: args.release };
    send(&path(&wave, "approve"), &body, operate).await
}

pub(super) async fn rollback(args: RollbackArgs) -> Result<(), Failure> {
    let WaveArgs { wave, operate } = args.wave;
    let body = RollBack { to: args.to, reason: operate.reason.clone() };
    send(&path(&wave, "rollback"), &body, operate).await
}

pub(super) async fn waive(args: WaiveArgs) -> Result<(), Failure> {
    let WaveArgs { wave, operate } = args.wave;
    let body = Waiver { reason: operate.reason.clone(), until: args.until };
    let path = ["waves", wave.as_str(), "targets", args.target.as_str(), "waive"];
    send(&path, &body, operate).await
}

/// `withdraw` and `retry`
pub(super) async fn intent(action: &str, args: IntentArgs) -> Result<(), Failure> {
    let reason = args.operate.reason.clone();
    send(&["intents", &args.intent.to_string(), action], &Because { reason }, args.operate).await
}

/// `pause`, `resume` and `accept`
pub(super) async fn repo(action: &str, args: OperateArgs) -> Result<(), Failure> {
    let reason = args.reason.clone();
    send(&[action], &Because { reason }, args).await
}

fn path<'a>(wave: &'a WaveName, action: &'a str) -> [&'a str; 3] {
    ["waves", wave.as_str(), action]
}

async fn send(path: &[&str], body: &impl Serialize, args: OperateArgs) -> Result<(), Failure> {
    let api = super::connect(&args.connection)?;
    let answer = api.operate(path, body, args.idempotency_key).await?;
    if args.show.json {
        output::print_json(&answer.raw);
    } else {
        output::print(&text::worked(&answer.said));
    }
    Ok(())
}
