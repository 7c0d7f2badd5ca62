"""Results of tasks as what they stand for: in the inputs of other tasks, and in the steps inside a pipeline."""

from __future__ import annotations

from penstock.tekton.references import ResultRef
from penstock.tekton.run_json import Result
from penstock.tekton.substitution import Replacements


def result_replacements(found: list[tuple[ResultRef, Result]]) -> Replacements:
    """Results that a pipeline task refers to, in every notation."""
    replacements = Replacements()
    for ref, result in found:
        base = f"tasks.{ref.task}.results"
        for key in (f"{base}.{ref.result}", f'{base}["{ref.result}"]', f"{base}['{ref.result}']"):
            if isinstance(result.value, list):
                replacements.arrays[key] = result.value
                replacements.strings |= {f"{key}[{index}]": item for index, item in enumerate(result.value)}
            elif isinstance(result.value, dict):
                replacements.objects[key] = result.value
                replacements.strings |= {
                    (f"{key}.{name}" if key.endswith(ref.result) else f"{key}[{name}]"): item
                    for name, item in result.value.items()
                }
            else:
                replacements.strings[key] = result.value
    return replacements


def propagated_results(results: dict[str, list[Result]]) -> Replacements:
    """Results that are put into the steps of tasks written inside the pipeline."""
    replacements = Replacements()
    for task, items in results.items():
        for result in items:
            key = f"tasks.{task}.results.{result.name}"
            if isinstance(result.value, list):
                replacements.arrays[key] = result.value
            elif isinstance(result.value, dict):
                replacements.strings |= {f"{key}.{name}": item for name, item in result.value.items()}
            else:
                replacements.strings[key] = result.value
    return replacements
