"""The only door to scikit-learn, which is not part of the plain install."""

from __future__ import annotations

try:
    from sklearn.base import BaseEstimator as BaseEstimator
    from sklearn.base import ClassifierMixin as ClassifierMixin
    from sklearn.base import ClassNamePrefixFeaturesOutMixin as ClassNamePrefixFeaturesOutMixin
    from sklearn.base import RegressorMixin as RegressorMixin
    from sklearn.base import TransformerMixin as TransformerMixin
    from sklearn.exceptions import ConvergenceWarning as ConvergenceWarning
    from sklearn.metrics import r2_score as r2_score
    from sklearn.utils import check_random_state as check_random_state
    from sklearn.utils import column_or_1d as column_or_1d
    from sklearn.utils.metaestimators import available_if as available_if
    from sklearn.utils.multiclass import check_classification_targets as check_classification_targets
    from sklearn.utils.multiclass import type_of_target as type_of_target
    from sklearn.utils.validation import check_is_fitted as check_is_fitted
    from sklearn.utils.validation import validate_data as validate_data
except ImportError as error:
    raise ImportError(
        f"brickwork.estimators needs scikit-learn 1.6 or newer; importing it fails: {error}. "
        f"Run: pip install 'brickwork[sklearn]'."
    ) from error
