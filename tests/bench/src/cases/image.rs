//! Images in and out, against raw Object Store. The bus takes no images yet.

use crate::{
    figure::{Budget, Figure, Judged},
    report::Measured,
};

pub(super) fn run() -> Measured {
    let figure = |what| Figure::not_yet(what, Judged::Ratio, Budget::AtLeast(0.7));
    Measured {
        figures: vec![figure("image in"), figure("image out")],
        ..Measured::default()
    }
}
