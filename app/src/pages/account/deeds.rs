//! What a person can do to their account.

use leptos::prelude::*;

use crate::AppError;
use crate::api::account::{
    AddPasskey, ChangePassword, DiscardOffer, EndOtherSessions, EndSession, EndToken, MakeToken, OfferAuthenticator,
    RemoveAuthenticator, RemovePasskey, SwitchOnAuthenticator,
};

type Answer = MappedSignal<Option<Result<(), AppError>>>;

/// What has been done and is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The password is another one.
    Password,
    /// The authenticator app is switched on.
    Authenticator,
    /// A passkey was added.
    Passkey,
    /// A factor was removed.
    Removed,
    /// A token was made.
    Token,
}

impl Done {
    /// What the address calls it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "password" => Some(Self::Password),
            "authenticator" => Some(Self::Authenticator),
            "removed" => Some(Self::Removed),
            "token" => Some(Self::Token),
            _ => None,
        }
    }

    /// In a few words.
    pub const fn head(self) -> &'static str {
        match self {
            Self::Password => "Password changed",
            Self::Authenticator => "Authenticator app switched on",
            Self::Passkey => "Passkey added",
            Self::Removed => "Removed",
            Self::Token => "Token made",
        }
    }

    /// What follows from it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Password => "Other sessions of this account have ended.",
            Self::Authenticator => "Decisions take a code of it from now on. Its recovery codes are not shown again.",
            Self::Passkey => "It proves you at decisions from now on.",
            Self::Removed => "It proves nobody any more.",
            Self::Token => "It lets a script in from now on.",
        }
    }
}

/// What a person can do to their account.
#[derive(Clone, Copy)]
pub struct AccountDeeds {
    pub password: ServerAction<ChangePassword>,
    pub offer: ServerAction<OfferAuthenticator>,
    pub discard: ServerAction<DiscardOffer>,
    pub switch_on: ServerAction<SwitchOnAuthenticator>,
    pub remove: ServerAction<RemoveAuthenticator>,
    pub add_passkey: ServerAction<AddPasskey>,
    pub remove_passkey: ServerAction<RemovePasskey>,
    pub end: ServerAction<EndSession>,
    pub end_others: ServerAction<EndOtherSessions>,
    pub make_token: ServerAction<MakeToken>,
    pub end_token: ServerAction<EndToken>,
}

impl AccountDeeds {
    /// Nothing was done yet.
    pub fn new() -> Self {
        let deeds = Self {
            password: ServerAction::new(),
            offer: ServerAction::new(),
            discard: ServerAction::new(),
            switch_on: ServerAction::new(),
            remove: ServerAction::new(),
            add_passkey: ServerAction::new(),
            remove_passkey: ServerAction::new(),
            end: ServerAction::new(),
            end_others: ServerAction::new(),
            make_token: ServerAction::new(),
            end_token: ServerAction::new(),
        };
        for (last, (answer, _)) in deeds.answers().into_iter().enumerate() {
            Effect::new(move |_| {
                if answer.with(Option::is_some) {
                    deeds.forget_all_but(last);
                }
            });
        }
        deeds
    }

    /// Every answer, and what is told when it is good.
    fn answers(self) -> [(Answer, Option<Done>); 11] {
        [
            (self.password.value(), Some(Done::Password)),
            (self.offer.value(), None),
            (self.discard.value(), None),
            (self.switch_on.value(), Some(Done::Authenticator)),
            (self.remove.value(), Some(Done::Removed)),
            (self.add_passkey.value(), Some(Done::Passkey)),
            (self.remove_passkey.value(), Some(Done::Removed)),
            (self.end.value(), None),
            (self.end_others.value(), None),
            (self.make_token.value(), Some(Done::Token)),
            (self.end_token.value(), None),
        ]
    }

    /// Counts what was done, so that the page is asked for again.
    pub fn count(self) -> usize {
        self.password.version().get()
            + self.offer.version().get()
            + self.discard.version().get()
            + self.switch_on.version().get()
            + self.remove.version().get()
            + self.add_passkey.version().get()
            + self.remove_passkey.version().get()
            + self.end.version().get()
            + self.end_others.version().get()
            + self.make_token.version().get()
            + self.end_token.version().get()
    }

    /// Why the last deed was refused.
    pub fn problem(self) -> Option<String> {
        self.answers().into_iter().find_map(|(answer, _)| answer.get()?.err()).map(|error| error.to_string())
    }

    /// What the last deed has come to.
    pub fn done(self) -> Option<Done> {
        self.answers().into_iter().find_map(|(answer, done)| answer.get()?.ok().and(done))
    }

    /// The answer to the last deed is the only one that still says something.
    fn forget_all_but(self, last: usize) {
        for (place, (answer, _)) in self.answers().into_iter().enumerate() {
            if place != last && answer.with_untracked(Option::is_some) {
                answer.set(None);
            }
        }
    }
}
