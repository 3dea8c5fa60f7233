#!/usr/bin/env python3
"""Makes dicom4ortho.rs: the concepts of which the PyPI package dicom4ortho (MIT) puts each view together.

    pip install dicom4ortho==0.5.3
    python3 generate.py > dicom4ortho.rs
"""
from importlib.metadata import version

from dicom4ortho._generated_codes import VIEWS


def concepts(view):
    single = [
        view.anatomic_region,
        view.anatomic_region_modifier,
        view.primary_anatomic_structure,
        view.primary_anatomic_structure_modifier,
        view.view_code,
        view.dental_occlusion,
    ]
    lists = [
        view.devices,
        view.view_modifiers,
        view.orthognathic_functional_conditions,
        view.findings_by_inspection,
        view.observable_entities,
    ]
    codes = [code for code in single if code is not None] + [code for codes in lists for code in codes]
    assert all(code.scheme == "SCT" for code in codes)
    return [code.value for code in codes]


print("//! Made by generate.py from the PyPI package dicom4ortho (MIT): not to be edited.")
print("//! SNOMED CT content under its owner's terms.")
print()
print(f"/// Of which concepts dicom4ortho {version('dicom4ortho')} puts each view together.")
print("#[rustfmt::skip]")
print(f"pub(super) const VIEWS: [(&str, &[&str]); {len(VIEWS)}] = [")
for name, view in sorted(VIEWS.items()):
    print(f'    ("{name}", &{concepts(view)!r}),'.replace("'", '"'))
print("];")
