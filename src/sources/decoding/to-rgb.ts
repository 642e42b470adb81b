/**
 * ffmpeg's filters to RGB as the reference's decoder (decord) does it: by the matrix and range the video is tagged
 * with, BT.601 and limited range where it isn't, bicubic, full range out.
 */
export const TO_RGB = ['scale=flags=bicubic:in_color_matrix=auto:in_range=auto:out_range=full', 'format=rgb24'] as const
