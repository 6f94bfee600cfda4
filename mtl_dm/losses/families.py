"""Forms by the name that is typed, where the kind of the relation is not known yet."""

from __future__ import annotations

from collections.abc import Iterator

from mtl_dm.losses.forms import (
    CO_ANNOTATION_FORMS,
    MATCHING_FORMS,
    MOMENT_CO_ANNOTATION_FORMS,
    MOMENT_MATCHING_FORMS,
    FormFamily,
)
from mtl_dm.losses.linear import LINEAR_FORMS
from mtl_dm.registry import unknown
from mtl_dm.spec import Spec, parse


class FormFamilies:
    """Families of which one will be meant; a name of any can be typed.

    Args:
        *families: Those of one side of a coupling; the first one's words are those of messages.
    """

    def __init__(self, *families: FormFamily) -> None:
        self.kind = families[0].kind
        self._families = families

    def spec(self, text: str) -> Spec:
        """Return a specification "NAME(option=value, ...)" as the first family that has it does.

        Raises:
            ValueError: If no family has the form, or none of those that have it takes the options.
        """
        name = parse(text).name
        errors = []
        for family in self._having(name):
            try:
                return family.spec(text)
            except ValueError as error:
                errors.append(error)
        raise errors[0]

    def full(self, name: str) -> str:
        """Return the name in `COUPLING_FORMS` that it has in the first family that has it.

        Raises:
            ValueError: If there is no such form; the message lists the known names.
        """
        return self._having(name)[0].full(name)

    def canonical(self, name: str) -> str:
        """Return today's name of an old one; no form has been renamed."""
        return name

    def _having(self, name: str) -> list[FormFamily]:
        found = [family for family in self._families if name in family]
        if not found:
            raise ValueError(unknown(self.kind, name, self))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({name for family in self._families for name in family}))


ANY_MATCHING_FORM = FormFamilies(MATCHING_FORMS, MOMENT_MATCHING_FORMS, LINEAR_FORMS)
ANY_CO_ANNOTATION_FORM = FormFamilies(CO_ANNOTATION_FORMS, MOMENT_CO_ANNOTATION_FORMS)
