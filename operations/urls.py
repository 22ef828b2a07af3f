"""URLs of batches."""

from django.urls import path

from operations.views import batches

urlpatterns = [
    path("batches/", batches.batch_list, name="batches"),
    path("batches/<uuid:uuid>/", batches.batch_page, name="batch"),
    path("batches/<uuid:uuid>/do/<slug:verb>/", batches.batch_do, name="batch-do"),
]
