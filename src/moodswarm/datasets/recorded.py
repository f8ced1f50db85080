"""JSON that one run leaves for the next."""

from typing import Any

from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset


class RecordedDataset(JSONDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """The file of another catalog entry, read before that entry is written.

    In a pipeline, an entry is written by one node and read only after that. Reading what an earlier
    run recorded therefore takes a second entry for the same file. Loading returns None if nothing
    was recorded yet.

    ```yaml
    retrieval_questions:
      type: json.JSONDataset
      filepath: data/05_model_input/retrieval_questions.json
      versioned: true

    recorded_retrieval_questions:
      type: moodswarm.datasets.recorded.RecordedDataset
      filepath: data/05_model_input/retrieval_questions.json
      versioned: true
    ```

    ```python
    >>> import tempfile
    >>> dataset = RecordedDataset(filepath=tempfile.mkdtemp() + "/questions.json")
    >>> dataset.load() is None
    True
    >>> dataset.save({"questions": []})
    >>> dataset.load()
    {'questions': []}

    ```
    """

    def load(self) -> Any:
        """Return the content that was recorded last, or None.

        Raises:
            DatasetError: the file is broken, for example because a run was killed while writing.
        """
        if not self.exists():
            return None
        try:
            return super().load()
        except DatasetError as error:
            if not isinstance(error.__cause__, ValueError):
                raise
            raise DatasetError(
                f"{self._get_load_path()} is not valid JSON ({error.__cause__}). Delete it; the "
                "next run then uses the version before it, or starts from nothing"
            ) from error
