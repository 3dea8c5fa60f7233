//! How much the bus carries of an image.

use super::{Code, Image, ImageAbout};
use crate::Text;

/// More of something than the bus carries of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of an image has more than {most} entries or bytes")]
pub struct ImageBoundError {
    /// The field.
    pub field: &'static str,
    /// Its bound.
    pub most: usize,
}

impl Image {
    /// Most entries of a list of an image, but for the teeth.
    pub const MOST_ENTRIES: usize = 16;
    /// Most teeth.
    pub const MOST_TEETH: usize = 52;
    /// Most bytes of a text of an image.
    pub const LONGEST_TEXT: usize = 1024;
    /// Most bytes of a code, its scheme, a table's name, or a media type.
    pub const LONGEST_CODE: usize = 256;

    /// Whether it is within the bounds.
    ///
    /// # Errors
    /// Names the first field that is not.
    pub fn check(&self) -> Result<(), ImageBoundError> {
        self.about.check()?;
        most("translations", self.translations.len(), Self::MOST_ENTRIES)?;
        for translation in &self.translations {
            translation.code.check("translations")?;
            most("translations", translation.table.len(), Self::LONGEST_CODE)?;
        }
        most("content_type", self.file.content_type.len(), 128)
    }
}

impl ImageAbout {
    /// Whether it is within the bounds.
    ///
    /// # Errors
    /// Names the first field that is not.
    pub fn check(&self) -> Result<(), ImageBoundError> {
        most("views", self.views.len(), Image::MOST_ENTRIES)?;
        most("anatomy", self.anatomy.len(), Image::MOST_ENTRIES)?;
        most("derived_from", self.derived_from.len(), Image::MOST_ENTRIES)?;
        most("teeth", self.teeth.len(), Image::MOST_TEETH)?;
        most("modality", self.modality.as_ref().map_or(0, String::len), 16)?;
        let texts = [
            ("accession", &self.accession),
            ("view_label", &self.view_label),
            ("device", &self.device),
            ("operator", &self.operator),
        ];
        for (field, text) in texts {
            most(field, length(text), Image::LONGEST_TEXT)?;
        }
        self.views.iter().try_for_each(|code| code.check("views"))?;
        self.anatomy.iter().try_for_each(|code| code.check("anatomy"))?;
        let Some(progress) = &self.progress else {
            return Ok(());
        };
        progress
            .event
            .iter()
            .try_for_each(|code| code.check("progress"))?;
        most("progress", length(&progress.label), Image::LONGEST_TEXT)
    }
}

impl Code {
    fn check(&self, field: &'static str) -> Result<(), ImageBoundError> {
        most(
            field,
            self.scheme.len().max(self.value.len()),
            Image::LONGEST_CODE,
        )?;
        most(field, length(&self.meaning), Image::LONGEST_TEXT)
    }
}

fn most(field: &'static str, count: usize, most: usize) -> Result<(), ImageBoundError> {
    match count <= most {
        true => Ok(()),
        false => Err(ImageBoundError { field, most }),
    }
}

fn length(text: &Option<Text>) -> usize {
    text.as_ref().map_or(0, |text| text.as_str().len())
}
