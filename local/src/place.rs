//! Where things are: the project's files, the built functions, the emulator's Python.

use std::path::{Path, PathBuf};

/// Something that the local cloud needs and that is not there.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The functions are not built.
    #[error("no {binary} in {}; build the functions first: cargo build --workspace", .folder.display())]
    NotBuilt {
        /// The binary that was looked for.
        binary: &'static str,
        /// Where.
        folder: PathBuf,
    },
    /// The emulator's Python environment is not there.
    #[error("no Python environment in {}; make it first: make local-cloud", .0.display())]
    NoPython(PathBuf),
    /// The path of this program is not known.
    #[error("cannot tell where this program is")]
    NoProgram(#[source] std::io::Error),
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The project's folder.
    pub root: PathBuf,
    /// The folder of the built functions.
    pub binaries: PathBuf,
    /// The Python that has the emulator.
    pub python: PathBuf,
}

impl Place {
    /// Finds them: the functions beside this program, Python in `.pipewarden/venv`.
    ///
    /// `PIPEWARDEN_ROOT`, `PIPEWARDEN_BINARIES` and `PIPEWARDEN_PYTHON` say otherwise.
    ///
    /// # Errors
    /// [`PlaceError`] naming what is not there, and the command that makes it.
    pub fn find() -> Result<Self, PlaceError> {
        let given = |name| std::env::var_os(name).map(PathBuf::from);
        let root = given("PIPEWARDEN_ROOT").unwrap_or_else(|| {
            let here = Path::new(env!("CARGO_MANIFEST_DIR"));
            here.parent().unwrap_or(here).to_owned()
        });
        let binaries = match given("PIPEWARDEN_BINARIES") {
            Some(folder) => folder,
            None => beside_this_program()?,
        };
        let python =
            given("PIPEWARDEN_PYTHON").unwrap_or_else(|| root.join(".pipewarden/venv/bin/python"));
        let binary = "error-handler";
        if !binaries.join(binary).is_file() {
            return Err(PlaceError::NotBuilt {
                binary,
                folder: binaries,
            });
        }
        if !python.is_file() {
            return Err(PlaceError::NoPython(python));
        }
        Ok(Self {
            root,
            binaries,
            python,
        })
    }
}

/// The folder of this program; a test's is one further down, in `deps`.
fn beside_this_program() -> Result<PathBuf, PlaceError> {
    let program = std::env::current_exe().map_err(PlaceError::NoProgram)?;
    let folder = program.parent().unwrap_or(Path::new("."));
    Ok(match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    })
}
