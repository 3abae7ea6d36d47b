//! The proofs that a use case takes: what an actor may do, as a type. Only the check of an [`Actor`] makes one.

use super::{Actor, Forbidden, Verb};

/// Proof that a person may read.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a>(&'a Actor);

/// Proof that a person may change their own account.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a>(&'a Actor);

/// Proof that a person may start and work in runs.
#[derive(Clone, Copy, Debug)]
pub struct Operator<'a>(&'a Actor);

/// Proof that a person may suggest procedures.
#[derive(Clone, Copy, Debug)]
pub struct Suggester<'a>(&'a Actor);

/// Proof that a person may decide requests for approval.
#[derive(Clone, Copy, Debug)]
pub struct Approver<'a>(&'a Actor);

/// Proof that a person may look into the audit.
#[derive(Clone, Copy, Debug)]
pub struct Auditor<'a>(&'a Actor);

/// Proof that a person may ask for stored output to be covered.
#[derive(Clone, Copy, Debug)]
pub struct Redactor<'a>(&'a Actor);

/// Proof that a person may look after people.
#[derive(Clone, Copy, Debug)]
pub struct Administrator<'a>(&'a Actor);

impl Actor {
    /// The proof for reading.
    pub fn viewer(&self) -> Result<Viewer<'_>, Forbidden> {
        self.may(Verb::Read).map(|()| Viewer(self))
    }

    /// The proof for changing one's own account.
    pub fn owner(&self) -> Result<Owner<'_>, Forbidden> {
        self.may(Verb::OwnAccount).map(|()| Owner(self))
    }

    /// The proof for working in runs.
    pub fn operator(&self) -> Result<Operator<'_>, Forbidden> {
        self.may(Verb::WorkRun).map(|()| Operator(self))
    }

    /// The proof for suggesting procedures.
    pub fn suggester(&self) -> Result<Suggester<'_>, Forbidden> {
        self.may(Verb::Suggest).map(|()| Suggester(self))
    }

    /// The proof for deciding requests for approval.
    pub fn approver(&self) -> Result<Approver<'_>, Forbidden> {
        self.may(Verb::Approve).map(|()| Approver(self))
    }

    /// The proof for looking into the audit.
    pub fn auditor(&self) -> Result<Auditor<'_>, Forbidden> {
        self.may(Verb::Audit).map(|()| Auditor(self))
    }

    /// The proof for asking for stored output to be covered.
    pub fn redactor(&self) -> Result<Redactor<'_>, Forbidden> {
        self.may(Verb::Redact).map(|()| Redactor(self))
    }

    /// The proof for looking after people.
    pub fn administrator(&self) -> Result<Administrator<'_>, Forbidden> {
        self.may(Verb::ManagePeople).map(|()| Administrator(self))
    }
}

impl Viewer<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Owner<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Operator<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Suggester<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Approver<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Auditor<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Redactor<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Administrator<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}
