//! How the dashboard was left, kept for the next time: one file a context, for its owner alone.
//!
//! A file that is damaged or of another version is no loss: the dashboard begins as it would without one, and says so.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use userlink_domain::Group;
use userlink_find::{Column, Order};
use userlink_ui::{Kept, KeptColumn, Theme};

/// Grows when what is written changes in a way that older programs would misread.
const VERSION: u32 = 1;
/// No file of ours is as large as this.
const LARGEST: u64 = 64 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    theme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sort: Option<String>,
    #[serde(default)]
    reverse: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    filter: String,
    #[serde(default)]
    masked: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<FileColumn>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FileColumn {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
}

impl File {
    fn of(kept: &Kept) -> Self {
        Self {
            version: VERSION,
            theme: kept.theme.map(|theme| theme.name().to_owned()),
            group: kept.group.map(|group| group.name().to_owned()),
            sort: kept.order.by.map(|column| column.name().to_owned()),
            reverse: kept.order.reverse,
            filter: kept.filter.clone(),
            columns: kept.columns.iter().map(FileColumn::of).collect(),
            masked: kept.masked,
        }
    }

    /// A name that is not known is as good as none.
    fn kept(self) -> Kept {
        Kept {
            theme: self.theme.and_then(|name| Theme::named(&name).ok()),
            group: self.group.and_then(|name| Group::ALL.into_iter().find(|group| group.name() == name)),
            order: Order { by: self.sort.and_then(|name| Column::parse(&name)), reverse: self.reverse },
            filter: self.filter,
            columns: self.columns.into_iter().map(FileColumn::kept).collect(),
            masked: self.masked,
        }
    }
}

impl FileColumn {
    fn of(column: &KeptColumn) -> Self {
        Self { name: column.name.clone(), shown: column.shown, width: column.width }
    }

    fn kept(self) -> KeptColumn {
        KeptColumn { name: self.name, shown: self.shown, width: self.width }
    }
}

fn path(context: &str) -> Option<PathBuf> {
    let dirs = directories::BaseDirs::new()?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("userlink");
    Some(folder.join(format!("dashboard-{}.toml", crate::snapshot::file_name(context))))
}

/// How it was left; where that cannot be read, as if it never had been, and a sentence about it.
pub(super) fn load(context: &str) -> (Kept, Option<String>) {
    let Some(path) = path(context) else { return (Kept::default(), None) };
    match read(&path) {
        Ok(kept) => (kept, None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Kept::default(), None),
        Err(_) => {
            let text =
                format!("How it was left cannot be read ({}): it begins as if for the first time.", path.display());
            (Kept::default(), Some(text))
        }
    }
}

fn read(path: &std::path::Path) -> io::Result<Kept> {
    if std::fs::metadata(path)?.len() > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let file: File = toml::from_str(&std::fs::read_to_string(path)?).map_err(|_| io::ErrorKind::InvalidData)?;
    if file.version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(file.kept())
}

/// Keeps how it is left. It is no harm where that cannot be done.
pub(super) fn save(context: &str, kept: &Kept) {
    let Some(path) = path(context) else { return };
    if let Err(error) = write(&path, kept) {
        tracing::warn!(kind = ?error.kind(), "how the dashboard was left is not kept");
    }
}

/// Whole or not at all, whoever else writes at the same moment.
fn write(path: &std::path::Path, kept: &Kept) -> io::Result<()> {
    let text = toml::to_string(&File::of(kept)).map_err(io::Error::other)?;
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    std::fs::create_dir_all(folder)?;
    let mut made = tempfile::Builder::new().prefix(".dashboard-").tempfile_in(folder)?;
    io::Write::write_all(made.as_file_mut(), text.as_bytes())?;
    made.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn it_comes_back_as_it_was_left_and_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("kept.toml");
        let kept = Kept {
            theme: Some(Theme::HighContrast),
            group: Some(Group::Conflict),
            order: Order { by: Some(Column::Created), reverse: true },
            columns: vec![
                KeptColumn { name: "status".to_owned(), shown: Some(false), width: None },
                KeptColumn { name: "show plan".to_owned(), shown: Some(true), width: Some(30) },
            ],
            filter: "status:confirmed".to_owned(),
            masked: true,
        };
        write(&path, &kept).unwrap();
        assert_eq!(read(&path).unwrap(), kept);
        write(&path, &Kept::default()).unwrap();
        assert_eq!(read(&path).unwrap(), Kept::default());
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_or_one_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.toml");
        for text in ["version = 2", "version = 1\ntheme = 7", "\0\0\0", "theme = 'terminal'", &"#".repeat(70_000)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::InvalidData, "{}", text.len());
        }
        std::fs::write(&path, "version = 1\ntheme = 'sepia'\ngroup = 'friends'\nlater = 1").unwrap();
        assert_eq!(read(&path).unwrap(), Kept::default(), "what is not known is left out");
    }

    #[test]
    fn contexts_that_look_alike_do_not_share_a_file() {
        assert_ne!(path("a/b"), path("a_b"));
        assert_eq!(path("prod-eu"), path("prod-eu"));
        assert!(path(&"x".repeat(500)).unwrap().file_name().unwrap().len() < 100);
    }
}
