"""JSON that a run leaves to the next one."""

from typing import Any

from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset


class RecordedDataset(JSONDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """The same file as another entry's, read before that entry is written.

    A name in a pipeline has one writer and is read after it; what an earlier run has recorded
    therefore has a name of its own. Loading gives None where nothing was recorded yet.

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
        """Return what was recorded last, or None.

        Raises:
            DatasetError: the file is broken, as a run may leave it that is killed while it writes.
        """
        if not self.exists():
            return None
        try:
            return super().load()
        except DatasetError as error:
            if not isinstance(error.__cause__, ValueError):
                raise
            raise DatasetError(
                f"{self._get_load_path()} is no JSON ({error.__cause__}); delete it, and the next "
                "run takes what was recorded before, or begins anew"
            ) from error
