//! The names under which events are stored.

use super::Event;

impl Event {
    /// The version of the stored form of all kinds that exist today.
    pub const VERSION: i64 = 1;

    /// The name under which it is stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run_started",
            Self::ValueSet { .. } => "value_set",
            Self::SecretChanged { .. } => "secret_changed",
            Self::TargetConfirmed => "target_confirmed",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::CommandStarted { .. } => "command_started",
            Self::CommandEnded { .. } => "command_ended",
            Self::WatchEnded { .. } => "watch_ended",
            Self::StopRequested { .. } => "stop_requested",
            Self::AttemptEnded { .. } => "attempt_ended",
            Self::AttemptInterrupted { .. } => "attempt_interrupted",
            Self::SurvivorsEnded { .. } => "survivors_ended",
            Self::CommandSkipped { .. } => "command_skipped",
            Self::StepSkipped { .. } => "step_skipped",
            Self::StepDone { .. } => "step_done",
            Self::ItemTicked { .. } => "item_ticked",
            Self::ItemUnticked { .. } => "item_unticked",
            Self::CheckStarted { .. } => "check_started",
            Self::CheckEnded { .. } => "check_ended",
            Self::CheckOverruled { .. } => "check_overruled",
            Self::NoteAdded { .. } => "note_added",
            Self::Escalated { .. } => "escalated",
            Self::RunTakenOver { .. } => "run_taken_over",
            Self::LockTaken { .. } => "lock_taken",
            Self::LockLost { .. } => "lock_lost",
            Self::DirectorySet { .. } => "directory_set",
            Self::StepAdded { .. } => "step_added",
            Self::InputSent { .. } => "input_sent",
            Self::KeysTyped { .. } => "keys_typed",
            Self::AbortRequested { .. } => "abort_requested",
            Self::ApprovalRequested { .. } => "approval_requested",
            Self::ApprovalGranted { .. } => "approval_granted",
            Self::ApprovalRejected { .. } => "approval_rejected",
            Self::ApprovalCancelled { .. } => "approval_cancelled",
            Self::ApprovalExpired { .. } => "approval_expired",
            Self::ApprovalVoided { .. } => "approval_voided",
            Self::OutageAccepted { .. } => "outage_accepted",
            Self::GlassBroken { .. } => "glass_broken",
            Self::GlassReviewed { .. } => "glass_reviewed",
            Self::RedactionAsked { .. } => "redaction_asked",
            Self::RedactionRejected { .. } => "redaction_rejected",
            Self::OutputRedacted { .. } => "output_redacted",
            Self::RunFinished { .. } => "run_finished",
        }
    }
}
