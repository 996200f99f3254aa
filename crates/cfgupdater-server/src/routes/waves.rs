//! What operators do to a wave.

use cfgupdater::core::{Operation, WaveName};

use crate::api::{Approval, Because, Operated, RollBack, Waiver};
use crate::extract::{Json, Path};
use crate::problem::Problem;
use crate::routes::operate::{Answered, Operator};

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/hold", tag = "operate",
    description = "Closes a wave: nothing lands in it until it is released. Repeating it changes nothing.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Operated)))]
pub(crate) async fn hold(
    operator: Operator,
    Path((repo, wave)): Path<(String, String)>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    let wave = parse(&wave)?;
    operator.carry_out(&repo, Operation::Hold { wave, reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/release", tag = "operate",
    description = "Opens a held wave. Repeating it changes nothing.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Operated)))]
pub(crate) async fn release(
    operator: Operator,
    Path((repo, wave)): Path<(String, String)>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    let wave = parse(&wave)?;
    operator.carry_out(&repo, Operation::Release { wave, reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/approve", tag = "operate",
    description = "Lets one release into a wave that needs approval: the one named, or the one that waits.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = Approval, responses((status = 200, description = "Whether it changed anything", body = Operated),
        (status = 409, description = "Another release waits, or none", body = Problem)))]
pub(crate) async fn approve(
    operator: Operator,
    Path((repo, wave)): Path<(String, String)>,
    Json(Approval { reason, release }): Json<Approval>,
) -> Answered {
    let wave = parse(&wave)?;
    operator.carry_out(&repo, Operation::Approve { wave, release, reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/rollback", tag = "operate",
    description = "Holds a wave and takes its images back to what they were at a commit, in one transition.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = RollBack, responses((status = 200, description = "Whether it changed anything", body = Operated),
        (status = 422, description = "The commit is not on stable, or holds no images of the wave", body = Problem)))]
pub(crate) async fn roll_back(
    operator: Operator,
    Path((repo, wave)): Path<(String, String)>,
    Json(RollBack { to, reason }): Json<RollBack>,
) -> Answered {
    let wave = parse(&wave)?;
    operator.carry_out(&repo, Operation::RollBack { wave, to, reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/targets/{target}/waive", tag = "operate",
    description = "Stops waiting for a target, until a time or for good.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave"),
        ("target" = String, Path, description = "The target")),
    request_body = Waiver, responses((status = 200, description = "Whether it changed anything", body = Operated)))]
pub(crate) async fn waive(
    operator: Operator,
    Path((repo, wave, target)): Path<(String, String, String)>,
    Json(Waiver { reason, until }): Json<Waiver>,
) -> Answered {
    let wave = parse(&wave)?;
    let target = target.parse().map_err(|error| Problem::invalid(format!("{error}")).at("target"))?;
    operator.carry_out(&repo, Operation::Waive { wave, target, until, reason }).await
}

fn parse(wave: &str) -> Result<WaveName, Problem> {
    wave.parse().map_err(|error| Problem::invalid(format!("{error}")).at("wave"))
}
