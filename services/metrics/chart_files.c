/* Puts uPlot into the binary, or says that it is not there. */
#include "chart_files.h"

#include "carry.h"

#ifdef TURUNC_CHARTS
CARRY(chart_uplot_js, "uPlot.iife.min.js");
CARRY(chart_uplot_css, "uPlot.min.css");
const bool charts_are_here = true;
#else
const bool charts_are_here = false;
const unsigned char chart_uplot_js[1], chart_uplot_js_end[1];
const unsigned char chart_uplot_css[1], chart_uplot_css_end[1];
#endif
