"""`find_targets`: the targets that workers have handed records over for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.target_file import TARGET_FILE, Holds, decode_target, target_title
from langchain_label_studio.object_store.batch_names import LAYOUT
from langchain_label_studio.object_store.store import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTarget:
    """The records for one project in object storage.

    Attributes:
        folder: The path of their folder.
        settings: The project, without a server and a key. Its address is that of the storage.
        holds: The kind of the records.
    """

    folder: str
    settings: Settings
    holds: Holds

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.rpartition("/")[2]

    @property
    def place(self) -> str:
        """The address of the folder."""
        return f"{self.settings.deliver_to}/{self.folder}"

    @property
    def title(self) -> str:
        """The project's name for people."""
        return target_title(self.settings, self.holds)


def find_target_folders(store: ObjectStore) -> list[str]:
    """Return the paths of the folders of all targets.

    Raises:
        ObjectStoreError: The store could not be asked.
    """
    return store.folders(LAYOUT)


def read_target(store: ObjectStore, folder: str) -> FleetTarget:
    """Return the target of a folder.

    Raises:
        LabelStudioError: There is none, or a newer version of this package wrote it.
        ObjectStoreError: The store could not be asked.
    """
    place = f"{store.url}/{folder}"
    content = store.get(f"{folder}/{TARGET_FILE}")
    if content is None:
        msg = f"{place} has no {TARGET_FILE}, so nobody knows what its runs are for."
        raise LabelStudioError(msg)
    settings, holds = decode_target(content, place=place)
    return FleetTarget(folder=folder, settings=replace(settings, deliver_to=store.url), holds=holds)


def find_targets(store: ObjectStore) -> tuple[list[FleetTarget], list[str]]:
    """Return all targets, and the problems with those that cannot be read.

    Raises:
        ObjectStoreError: The store could not be asked.
    """
    found, problems = [], []
    for folder in find_target_folders(store):
        try:
            found.append(read_target(store, folder))
        except LabelStudioError as error:
            problems.append(str(error))
    return found, problems
