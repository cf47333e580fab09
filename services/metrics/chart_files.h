/* chart_files - uPlot, carried by the binary where npm had it at the build. */
#ifndef METRICS_CHART_FILES_H
#define METRICS_CHART_FILES_H

#include <stdbool.h>

/* Without charts the files below are empty. */
extern const bool charts_are_here;
extern const unsigned char chart_uplot_js[], chart_uplot_js_end[];
extern const unsigned char chart_uplot_css[], chart_uplot_css_end[];

#endif
