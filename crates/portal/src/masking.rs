//! The files at a target whose values are masked: read there before a step starts, because its output is filtered here.

use domain::run::{Run, Who};
use engine::Secret;

use crate::probing::{Answer, Question, Said};
use crate::{Error, Portal};

/// Why the values of the masked files are not known.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The target could not be asked: why, in a sentence.
    Away(String),
    /// One of the files cannot be read there.
    File {
        /// Which.
        path: String,
        /// Why, in some words.
        why: String,
    },
}

/// So much of a file is taken. A probe carries little more, and a file of values is smaller by far.
const MOST: usize = 48 << 10;

impl Portal {
    /// The values of the masked files of a run that works elsewhere; those of this machine the shim reads itself.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when one of them cannot be read: what it holds would stand in the output.
    pub(crate) async fn masked_elsewhere(&self, run: &Run) -> Result<Vec<Secret>, Error> {
        if run.plan.target.reach.is_local() {
            return Ok(Vec::new());
        }
        self.masked_there(run).await.map_err(not_started)
    }

    /// The values of the masked files of a run, wherever it works.
    ///
    /// # Errors
    ///
    /// [`Unread`] when one of them is not known.
    pub(crate) async fn masked_there(&self, run: &Run) -> Result<Vec<Secret>, Unread> {
        let target = &run.plan.target;
        let mut values = Vec::new();
        // Each by a probe of its own: together they might not fit into one.
        for path in run.plan.mask_paths() {
            let questions = [Question::Content { path: path.clone(), most: MOST }];
            let answers = self.ask(&Who::Portal, target, "files to mask", &questions).await;
            let answers = answers.map_err(|silence| Unread::Away(silence.to_string()))?;
            values.extend(values_of(&answers[0]).map_err(|why| Unread::File { path, why })?);
        }
        Ok(values)
    }
}

/// The values in a file. One that is not there has none.
fn values_of(answer: &Answer) -> Result<Vec<Secret>, String> {
    let text = answer.lines.join("\n");
    match answer.said {
        Said::Yes if text.len() > MOST => Err(format!("it is longer than {} KiB", MOST >> 10)),
        Said::Yes => {
            let secret = |(name, value)| Secret { name, value, used: false };
            Ok(engine::listed_values(&text).into_iter().map(secret).collect())
        }
        Said::No => Ok(Vec::new()),
        Said::Closed | Said::Without => Err(answer.barrier("the user there may not read it").to_owned()),
        Said::Nothing => Err("the target gave no answer".to_owned()),
    }
}

/// What it means for a step.
fn not_started(unread: Unread) -> Error {
    let why = match unread {
        Unread::Away(why) => why,
        Unread::File { path, why } => format!(
            "{path} at the target has values that are to be masked, and {why}. Let the user there read it, or let an author take it \
             out of mask_files."
        ),
    };
    Error::Invalid(format!("The step was not started: {why}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::probing::tests::{asked_by_nobody, asked_here};

    fn read(path: &std::path::Path) -> Result<Vec<(String, String)>, String> {
        let question = Question::Content { path: path.to_str().unwrap().to_owned(), most: MOST };
        let found = values_of(&asked_here(&[question])[0])?;
        Ok(found.into_iter().map(|secret| (secret.name, secret.value)).collect())
    }

    #[test]
    fn the_values_of_a_file_at_a_target_are_those_that_its_lines_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "# the database\nPASSWORD=\"quiet otters\nswim\"\n\nTOKEN=ghp_0123456789").unwrap();

        let values = read(&path).unwrap();

        let expected = [("PASSWORD", "quiet otters\nswim"), ("TOKEN", "ghp_0123456789")];
        assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_file_that_is_not_there_has_no_values_and_one_that_cannot_be_read_whole_stops_the_step() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long");
        std::fs::write(&long, "A=b\n".repeat(MOST)).unwrap();

        assert_eq!(read(&folder.path().join("gone")), Ok(Vec::new()));
        assert!(read(&long).unwrap_err().contains("longer than 48 KiB"));
        assert_eq!(read(folder.path()).unwrap_err(), "the user there may not read it");
        let long = Unread::File { path: "/srv/.env".to_owned(), why: "it is longer than 48 KiB".to_owned() };
        let why = not_started(long).to_string();
        assert!(why.starts_with("The step was not started: /srv/.env at the target"), "{why}");
    }

    #[test]
    fn a_target_that_cannot_be_asked_for_values_is_said_in_one_sentence_without_a_word_on_files() {
        let why = not_started(Unread::Away("The machine does not answer.".to_owned())).to_string();

        assert_eq!(why, "The step was not started: The machine does not answer.");
    }

    #[test]
    fn a_file_in_a_folder_that_the_user_there_may_not_enter_stops_the_step() {
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("private");
        std::fs::create_dir(&closed).unwrap();
        std::fs::write(closed.join(".env"), "PASSWORD=quiet-otters").unwrap();
        for (path, mode) in [(folder.path(), 0o755), (&closed, 0o000)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = closed.join(".env").to_str().unwrap().to_owned();

        let read = values_of(&asked_by_nobody(&[Question::Content { path, most: MOST }])[0]);

        assert_eq!(read.map(|values| values.len()), Err("the user there may not read it".to_owned()));
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}
