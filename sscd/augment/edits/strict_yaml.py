"""YAML that says what is wrong with it, keys that are written twice included."""

from pathlib import Path
from typing import Any

from sscd.errors import UserError


def load_mapping(path: Path) -> dict[Any, Any]:
    """Read a YAML file that holds a mapping.

    Raises:
        UserError: It cannot be read, is no text, no YAML or no mapping, or has a key twice; the
            message names the file and, where there is one, the line.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        _check_unique(path, yaml.compose(text, yaml.SafeLoader))
        content = yaml.safe_load(text)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check it") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text; give a YAML file") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise UserError(f"{path}{line}: {problem}; mend the YAML") from error
    except (ValueError, RecursionError) as error:  # impossible dates, endless digits or nesting
        raise UserError(f"{path} holds what no setting can be: {error}; mend it") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no settings; expected a mapping of keys to values")
    return content


def _check_unique(path: Path, root: Any) -> None:
    import yaml

    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if not isinstance(node, yaml.MappingNode):
            waiting += node.value
            continue
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys if isinstance(key, yaml.ScalarNode) else False:
                line = key.start_mark.line + 1
                raise UserError(f"{path}, line {line}: '{key.value}' is there twice; keep one")
            if isinstance(key, yaml.ScalarNode):
                keys.add(key.value)
            waiting += [key, value]
