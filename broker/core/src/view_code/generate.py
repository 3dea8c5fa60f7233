#!/usr/bin/env python3
"""Makes table.rs from the PyPI package open-ortho-terminology (MIT).

    pip download --no-deps open-ortho-terminology==2.1.1
    python3 generate.py open_ortho_terminology-2.1.1-py3-none-any.whl > table.rs

Reads the package's sources without running them, so that nothing else has to be installed. The views are those of the four
ADA 1100 code systems, the SNOMED CT codes those of the concept map `orthodontic_photograph_views`.
"""
import ast
import re
import sys
import zipfile

SYSTEMS = [
    ("Extraoral2d", "ada_1100_extraoral_2d_photographic_scheduled_protocol"),
    ("Intraoral2d", "ada_1100_intraoral_2d_photographic_scheduled_protocol"),
    ("Extraoral3d", "ada_1100_extraoral_3d_visible_light_scheduled_protocol"),
    ("Intraoral3d", "ada_1100_intraoral_3d_visible_light_scheduled_protocol"),
]


def source(wheel, module):
    return ast.parse(wheel.read(f"terminology/resources/{module}.py"))


def words(call):
    """The text arguments of a call, by name."""
    found = {}
    for keyword in call.keywords:
        texts = [node.value for node in ast.walk(keyword.value) if isinstance(node, ast.Constant)]
        found[keyword.arg] = [text for text in texts if isinstance(text, str) and text]
    return found


def views(wheel, module):
    for node in source(wheel, f"code_systems/{module}").body:
        is_view = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if not is_view or getattr(node.value.func, "id", "") != "CodeSystemConcept":
            continue
        told = words(node.value)
        [code], [display] = told["code"], told["display"]
        [designations] = [keyword.value for keyword in node.value.keywords if keyword.arg == "designation"]
        names = [words(one)["value"][0] for one in designations.elts]
        dashed, mnemonic = names
        assert dashed.replace("-", "") == code, (dashed, code)
        yield code, mnemonic, display


def snomed(wheel):
    codes = {}
    for node in ast.walk(source(wheel, "concept_maps/orthodontic_photograph_views")):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_E":
            _, code, _, target = node.args
            assert code.value not in codes, code.value
            codes[code.value] = target.value
    return codes


def main():
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        version = re.search(r"^Version: (\S+)$", wheel.read(metadata).decode(), re.MULTILINE).group(1)
        codes = snomed(wheel)
        rows = [(system, *view) for system, module in SYSTEMS for view in views(wheel, module)]
    print("//! Made by generate.py from the PyPI package open-ortho-terminology (MIT): not to be edited.")
    print("//! SNOMED CT and ADA content under their owners' terms.")
    print()
    print("use super::{OrthodonticView, ViewProtocol};")
    print()
    print("/// Version of the package that the table is made from.")
    print(f'pub(super) const VERSION: &str = "{version}";')
    print()
    print("#[rustfmt::skip]")
    print(f"pub(super) const VIEWS: [OrthodonticView; {len(rows)}] = [")
    for system, code, mnemonic, display in rows:
        target = f'Some("{codes[code]}")' if code in codes else "None"
        print(
            f'    OrthodonticView {{ protocol: ViewProtocol::{system}, code: "{code}", mnemonic: "{mnemonic}", '
            f'snomed: {target}, display: "{display}" }},'
        )
    print("];")


if __name__ == "__main__":
    main()
